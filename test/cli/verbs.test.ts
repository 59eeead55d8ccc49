import { describe, expect, it } from 'vitest';
import { Session } from '../../cli/session.js';
import { runCommand, VERBS } from '../../cli/verbs.js';
import { mfnWord } from '../../events/index.js';
import { bootSequence, formByKernel, GEOMETRIES } from '../../src/index.js';

function session(kernel = '7.0'): Session {
  const plan = { nrPages: 2048, firstEntry: mfnWord(1000), identity: [], extra: [], holes: [], startFlags: 0 };
  const s = new Session({ form: formByKernel(kernel), geometry: GEOMETRIES.x86_64, nrPages: 2048 }, false, false);
  bootSequence(s.domain, plan);
  return s;
}

describe('runCommand', () => {
  it('takes any white space between words', () => {
    expect(runCommand(session(), '  set \t 0x402   m:77 ').result).toBe(true);
  });

  it.each([
    ['frob 5', 'unknown operation: got "frob", want set, '],
    ['constructor', 'unknown operation: got "constructor"'],
    ['set 5', 'wrong number of arguments to set: got 1, want set PFN VALUE'],
    ['set 5 m:1 m:2', 'wrong number of arguments to set: got 3'],
    ['set five m:1', 'bad pfn: got "five", want hex (0x...) or decimal'],
    ['set 0x10000000000000 m:1', 'pfn out of range: got 0x10000000000000'],
    ['set 5 q:1', 'bad value: got "q:1", want ~, m:N, i:N, f:N or fi:N'],
    ['set 5 m:', 'bad value: got "m:"'],
    ['set 5 m:-1', 'bad value: got "m:-1"'],
    ['set 5 m:99999999999999999999', 'bad value: got "m:99999999999999999999", want N below 2^62'],
    ['identity 9-5', 'empty pfn range: got 9-5'],
    ['balloon-up 0-4', 'wrong number of arguments to balloon-up: got 1'],
    ['dump 0-0x40000001', 'window too large: got 0-0x40000001, want at most 2^30 pfns'],
    ['grant-map 5', 'bad grant slot: got "5", want PFN:MFN[:STATUS[:KSTATUS]]'],
    ['grant-map 5:6:7:8:9', 'bad grant slot: got "5:6:7:8:9"'],
    ['grant-map 5:6:bad', 'bad grant status: got "bad", want a number, 0 for success'],
    ['grant-map 5:0x40000000', 'mfn out of range: got 0x40000000'],
    ['m2p 5 6', 'there is no m2p (boot with --m2p N)'],
    ['events x', 'bad count: got "x"'],
    ['show steps maybe', 'bad show: got steps maybe, want steps|events on|off'],
  ])('refuses %j', (line, message) => {
    expect(() => runCommand(session(), line)).toThrow(message);
  });

  it('runs every verb of its list without arguments that needs none, in a kernel with the list and in one with the tree', () => {
    for (const kernel of ['7.0', '3.18']) {
      const s = session(kernel);
      for (const [name, { args }] of Object.entries(VERBS)) {
        if (args[0] === 0) expect(() => runCommand(s, name), `${name} in ${kernel}`).not.toThrow(TypeError);
      }
    }
  });
});

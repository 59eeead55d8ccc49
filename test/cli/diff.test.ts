import { describe, expect, it } from 'vitest';
import { HOLD } from './held_recording.js';
import { firstEvents, raceLog } from './race_log.js';
import { runP2m } from './run_p2m.js';

function diff(...args: string[]): { stdout: string[]; stderr: string; code: number | null } {
  const { stdout, stderr, code } = runP2m(['diff', ...args]);
  return { stdout: stdout.split('\n').slice(0, -1), stderr, code };
}

/** CPU 1 stores another frame. */
const otherFrame = (events: string): string => events.replaceAll('"0x4e"', '"0x4f"');

describe('p2m diff of two moments', () => {
  it('tells what has changed of entries, pages, the tree of the tools and the globals', () => {
    expect(diff(raceLog(), '69', 'end')).toMatchObject({
      stdout: [
        '[0x13,0x14) 0xffffffffffffffff -> 0x4e',
        'page [0x10,0x14) missing in p2m_missing_pte -> own in own_pte',
        'page [0x14,0x20) missing in p2m_missing_pte -> missing in own_pte',
        'page [0x20,0x24) missing in p2m_missing_pte -> own in p2m_missing_pte',
        'mfn tree [0x10,0x14) p2m_missing -> the leaf of the list',
        'p2m_update_lock 0x0 -> 0x1',
      ],
      code: 1,
    });
  });

  it('tells it the other way round, and that nothing has', () => {
    expect(diff(raceLog(), '98', '96').stdout).toContain('p2m_update_lock 0x1 -> 0x0');
    expect(diff(raceLog(), '91', '91')).toMatchObject({ stdout: [], code: 0 });
  });

  it('gives it as JSON', () => {
    const { stdout, code } = diff(raceLog(), '88', '90', '--json');
    expect(code).toBe(1);
    expect(JSON.parse(stdout.join('\n'))).toEqual({
      runs: [{ what: 'entries', pfnStart: 19, pfnEnd: 20, before: '0xffffffffffffffff', after: '0x4e' }],
      globals: [],
    });
  });
});

describe('p2m diff of two logs', () => {
  it('finds none in a log and its copy', () => {
    expect(diff(raceLog(), raceLog())).toEqual({ stdout: [], stderr: '', code: 0 });
  });

  it('tells the first event that differs, and how the lists end', () => {
    const { stdout, code } = diff(raceLog(), raceLog(otherFrame));
    expect(code).toBe(1);
    expect(stdout[0]).toBe('first at event 69:');
    expect(stdout[1]).toMatch(/race\.jsonl: \{"seq":69,.*"kind":"call",.*"value":"0x4e"/);
    expect(stdout[2]).toMatch(/race\.jsonl: \{"seq":69,.*"kind":"call",.*"value":"0x4f"/);
    expect(stdout.slice(3)).toEqual(['the lists at the end:', '[0x13,0x14) 0x4e -> 0x4f']);
  });

  it('does not mind the numbers of operations', () => {
    const renamed = raceLog((events) => events.replaceAll('"op":5,', '"op":77,'));
    expect(diff(raceLog(), renamed)).toMatchObject({ stdout: [], code: 0 });
  });

  it('tells the one that ends first', () => {
    const cut = raceLog(firstEvents(98));
    const { stdout, code } = diff(raceLog(), cut, '--json');
    expect(code).toBe(1);
    expect(JSON.parse(stdout.join('\n'))).toMatchObject({ first: { seq: 98, a: { kind: 'set_pte' } } });
    expect(diff(raceLog(), cut).stdout[2]).toMatch(/: has ended$/);
  });

  it('refuses logs of different geometries', () => {
    const pae = raceLog((events) => events.replace('"geometry":"tiny"', '"geometry":"x86_64"'));
    expect(diff(raceLog(), pae)).toMatchObject({ stdout: [], code: 3 });
  });
});

describe('p2m diff of a log and a dump', () => {
  it('finds none in a recording and the dump at its end, and some in the one in the middle', () => {
    const after = diff(HOLD, '--dump', `${HOLD}/p2m-after.bin.gz`, '--dump-pt', `${HOLD}/p2m-after.pt.txt`);
    expect(after).toMatchObject({ stdout: [], code: 0 });
    const held = diff(HOLD, '--dump', `${HOLD}/p2m-mapped.bin.gz`);
    expect(held.code).toBe(1);
    expect(held.stdout[0]).toMatch(/^\[0x[0-9a-f]+,0x[0-9a-f]+\) \S+ -> \S+$/);
  });

  it('refuses a log whose list does not stand, and a dump that is not there', () => {
    const args = ['--dump', `${HOLD}/p2m-after.bin.gz`];
    expect(diff(raceLog(), ...args, '--at', 'start')).toMatchObject({ stdout: [], code: 3 });
    expect(diff(raceLog(), '--dump', 'no.bin').code).toBe(3);
  });
});

describe('p2m diff', () => {
  it.each([
    [['LOG'], 2, 'nothing to compare with: want LOG X Y, LOG1 LOG2 or LOG --dump FILE'],
    [['LOG', '4', '99'], 2, 'no such event in '],
    [['LOG', 'LOG', 'end'], 2, 'bad moment: got '],
    [['LOG', 'end'], 3, 'end: cannot read: no such file'],
    [['LOG', '4', '--dump', 'x'], 2, 'a log and a dump: got another argument, 4, want LOG --dump FILE'],
    [['LOG', '--dump-pt', 'x'], 2, '--dump-pt without --dump'],
    [['LOG', '4', '5', '--at', '4'], 2, '--at without --dump'],
    [['LOG', 'package.json'], 3, 'package.json:1:byte 0: not a log that can be read'],
    [['-', '-'], 2, 'two logs from stdin: want - once'],
  ])('refuses %j', (args, code, says) => {
    const log = raceLog();
    const run = diff(...args.map((arg) => (arg === 'LOG' ? log : arg)));
    expect(run).toMatchObject({ stdout: [], code });
    expect(run.stderr).toContain(says);
  });
});

import { describe, expect, it } from 'vitest';
import { parseRecording } from '../../../replay/recording/recording.js';
import { bytesOf } from '../trace/trace_lines.js';

const HOLD = {
  kernel: '6.1',
  steps: [
    {
      from: 'after',
      log: 'trace.txt.gz',
      to: 'after',
      checkpoints: [{ dump: 'mapped', after: 'set_foreign_p2m_mapping_ret', before: 'clear_foreign_p2m_mapping' }],
    },
  ],
};
const EARLY = {
  kernel: '6.1',
  steps: [{ from: 'entry', log: 'calls.txt', to: null, checkpoints: [{ dump: 'before-vmalloc-tree', beforeCall: 5 }] }],
  note: 'a note',
};
const STEP = HOLD.steps[0]!;

const parse = (value: unknown) => parseRecording(bytesOf(JSON.stringify(value)), 'replay.json');

describe('parseRecording', () => {
  it('reads steps with both kinds of checkpoint', () => {
    expect(parse(HOLD)).toEqual(HOLD);
    expect(parse(EARLY)).toEqual(EARLY);
  });

  it.each([
    [{ ...HOLD, kernel: 6.1 }, 'kernel', 'a kernel version such as'],
    [{ ...HOLD, kernel: 'six' }, 'kernel', 'a kernel version such as "6.1"'],
    [{ ...HOLD, steps: [] }, 'steps', 'one at least'],
    [{ ...HOLD, setps: 1 }, 'the whole', 'setps'],
    [{ ...HOLD, steps: [{ ...STEP, log: undefined }] }, 'steps[0].log: got nothing', 'expected string'],
    [{ ...HOLD, steps: [{ ...STEP, log: '../trace.txt' }] }, 'steps[0].log', 'a file in the same folder'],
    [{ ...HOLD, steps: [{ ...STEP, log: '..' }] }, 'steps[0].log', 'a file in the same folder'],
    [{ ...HOLD, steps: [{ ...STEP, from: 'a/b' }] }, 'steps[0].from: got "a/b"', 'p2m-NAME.bin.gz'],
    [{ ...HOLD, steps: [{ ...STEP, to: 5 }] }, 'steps[0].to', 'expected string'],
    [
      { ...HOLD, steps: [{ ...STEP, checkpoints: [{ dump: 'x' }] }] },
      'steps[0].checkpoints[0]',
      '{dump, beforeCall: N}',
    ],
    [
      { ...HOLD, steps: [{ ...STEP, checkpoints: [{ dump: 'x', beforeCall: 0 }] }] },
      'steps[0].checkpoints[0]',
      'beforeCall: got 0, want Too small: expected number to be >0',
    ],
    [[], 'the whole', 'expected object'],
  ])('refuses %j', (value, where, expected) => {
    expect(() => parse(value)).toThrow(`replay.json: not a recording: ${where}`);
    expect(() => parse(value)).toThrow(expected);
  });

  it('refuses a text that is not JSON, and says where if the engine knows', () => {
    const text = '{"kernel": "6.1",\n "steps": [1 2]}\n';
    expect(() => parseRecording(bytesOf(text), 'replay.json')).toThrow(
      /^replay\.json:2:14: not JSON: got Expected ','/,
    );
    expect(() => parseRecording(bytesOf('{"kernel"} '), 'replay.json')).toThrow(/^replay\.json:1:10: not JSON/);
    expect(() => parseRecording(bytesOf(''), 'replay.json')).toThrow(/^replay\.json: not JSON: got Unexpected end/);
    expect(() => parseRecording(bytesOf('steps'), 'replay.json')).toThrow(/^replay\.json: not JSON/);
  });
});

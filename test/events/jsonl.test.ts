import { describe, expect, it } from 'vitest';
import {
  EntryCodec,
  EventBatch,
  INVALID,
  KINDS,
  mfnWord,
  P2mError,
  parseEvents,
  printEvents,
} from '../../events/index.js';

const HEADER = { geometry: 'tiny', kernel: '7.0', entryBits: 64 } as const;
const HEAD = '{"format":"p2m-events","version":1,"geometry":"tiny","kernel":"7.0","entryBits":64}\n';
const LOCK = '{"seq":0,"cpu":0,"op":1,"kind":"lock"}\n';

function complaint(text: string): string {
  try {
    parseEvents(text, 'run.jsonl');
  } catch (error) {
    if (error instanceof P2mError && error.code === 'bad-input') return error.message.split('\n')[0]!;
    throw error;
  }
  return 'no complaint';
}

describe('printEvents', () => {
  it('prints a header line and a line an event, words as raw entries', () => {
    const batch = new EventBatch();
    const codec = new EntryCodec(64);
    batch.push(KINDS.set_entry.id, 1, 2, 5, 31, INVALID, mfnWord(77));
    batch.push(KINDS.set_pte.id, 1, 2, 5, 9, (3 << 2) | 1, (31 << 2) | 3);
    batch.push(KINDS.boot.id, 0, 3, 4, batch.pushPayload([4, codec.identityOf(0), 1]));
    expect(printEvents(HEADER, batch, codec, 7)).toBe(
      `${HEAD}{"seq":7,"cpu":1,"op":2,"kind":"set_entry","pfn":5,"page":31,"old":"0xffffffffffffffff","new":"0x4d"}
{"seq":8,"cpu":1,"op":2,"kind":"set_pte","pfn":5,"page":9,"old":"3:ro","new":"31:rw"}
{"seq":9,"cpu":0,"op":3,"kind":"boot","nrPages":4,"entries":[[4,"0x4000000000000000",1]]}
`,
    );
  });
});

describe('parseEvents', () => {
  it('takes a header with all it can say, and no events', () => {
    const capacity = { nrPages: 16, areaPfns: 64, cpus: 2, pools: 2, sparePages: 100, m2pFrames: 0 };
    const header = { ...HEADER, capacity, origin: 'a run by hand' };
    const text = printEvents(header, new EventBatch(), new EntryCodec(64));
    expect(parseEvents(text)).toMatchObject({ header, seq: 0, batch: { length: 0 } });
  });

  it.each([
    ['an empty text', '', 'run.jsonl:1: no events: got an empty text, want a header line'],
    [
      'a text without header',
      LOCK,
      'run.jsonl:1: no header of p2m events: want {"format":"p2m-events","version":1,...}',
    ],
    ['a header that is no JSON', 'hello\n', 'run.jsonl:1: not JSON: got Unexpected token'],
    [
      'another version',
      HEAD.replace('"version":1', '"version":2'),
      'run.jsonl:1: another version of the format: got 2, want 1',
    ],
    [
      'a header of no version',
      HEAD.replace('"version":1,', ''),
      'run.jsonl:1: another version of the format: got none, want 1',
    ],
    [
      'a header with an unknown field',
      HEAD.replace('{', '{"colour":"red",'),
      'run.jsonl:1: bad header: want Unrecognized key: "colour"',
    ],
    ['entries of 63 bits', HEAD.replace('64', '63'), 'run.jsonl:1: bad header: entryBits'],
    ['a header that is cut', HEAD.slice(0, -1), 'run.jsonl:1: the last line is cut: want a newline at its end'],
    [
      'a last event that is cut',
      HEAD + LOCK + LOCK.slice(0, 20),
      'run.jsonl:3: the last line is cut: want a newline at its end',
    ],
    [
      'an event that lacks only its newline',
      HEAD + LOCK.trim(),
      'run.jsonl:2: the last line is cut: want a newline at its end',
    ],
    ['an empty line', `${HEAD}\n`, 'run.jsonl:2: not JSON'],
    [
      'a line that is no object',
      `${HEAD}[1]\n`,
      'run.jsonl:2: no event: got [1], want an object with seq, cpu, op and kind',
    ],
    ['an unknown kind', HEAD + LOCK.replace('lock', 'lick'), 'run.jsonl:2: bad kind: got "lick", want alloc_page, '],
    [
      'a missing field',
      HEAD + LOCK.replace('lock"', 'free_page","page":3'),
      'run.jsonl:2: bad role: got nothing, want none, init, leaf',
    ],
    [
      'a field of another kind',
      HEAD + LOCK.replace('"lock"', '"lock","pfn":3'),
      'run.jsonl:2: unknown field of lock: got "pfn", want seq, cpu, op, kind',
    ],
    [
      'a CPU 256',
      HEAD + LOCK.replace('"cpu":0', '"cpu":256'),
      'run.jsonl:2: bad cpu: got 256, want a whole number from 0 to 255',
    ],
    [
      'an event that is missing',
      HEAD + LOCK + LOCK.replace('"seq":0', '"seq":2'),
      'run.jsonl:3: an event is missing: got seq 2, want seq 1',
    ],
  ])('refuses %s', (_, text, expected) => {
    expect(complaint(text).slice(0, expected.length)).toBe(expected);
  });

  it.each([
    ['0X4D', 64],
    ['77', 64],
    ['0x', 64],
    ['0x4000000000000000z', 64],
    ['0x10000000000000000', 64],
    ['0x100000000', 32],
    ['~', 64],
  ])('refuses the word %s of a list with %d-bit entries', (word, bits) => {
    const head = HEAD.replace('64', String(bits));
    const event = `{"seq":0,"cpu":0,"op":1,"kind":"look_up","pfn":3,"value":${JSON.stringify(word)}}\n`;
    expect(complaint(head + event)).toContain(`run.jsonl:2: bad value: got "${word}", want a raw entry`);
  });

  it('takes a load that faulted for the word fault, and only there', () => {
    const event = (kind: string): string => `${HEAD}{"seq":0,"cpu":0,"op":1,"kind":${kind}}\n`;
    expect(complaint(event('"look_up","pfn":3,"value":"fault"'))).toBe('no complaint');
    expect(complaint(event('"boot","nrPages":4,"entries":[[4,"fault",0]]'))).toContain(
      'bad entries[0][1]: got "fault"',
    );
  });

  it.each([
    ['"result":"word","value":12', 'bad value: got 12'],
    ['"result":"bool","value":"0x1"', 'bad value: got "0x1"'],
  ])('refuses a return with %s, whose value is of another kind', (fields, expected) => {
    const text = `${HEAD}{"seq":0,"cpu":0,"op":1,"kind":"return","operation":"pfn_to_mfn",${fields}}\n`;
    expect(complaint(text)).toContain(expected);
  });
});

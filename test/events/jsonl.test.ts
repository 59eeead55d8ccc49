import { describe, expect, it } from 'vitest';
import {
  EntryCodec,
  EventBatch,
  INVALID,
  JsonlReader,
  JsonlWriter,
  KINDS,
  mfnWord,
  P2mError,
  parseEvents,
  payloadColumn,
  printEvents,
  printLines,
  viewEvent,
  type EventHandler,
} from '../../events/index.js';

const HEADER = { geometry: 'tiny', kernel: '7.0', entryBits: 64 } as const;
const HEAD = '{"format":"p2m-events","version":1,"geometry":"tiny","kernel":"7.0","entryBits":64}\n';
const END = '{"end":true,"events":0}\n';
const LOCK = '{"seq":0,"cpu":0,"op":1,"kind":"lock"}\n';

function lookUpOf(pfn: string): string {
  return `${HEAD}{"seq":0,"cpu":0,"op":1,"kind":"look_up","pfn":${pfn},"value":"0x1"}\n`;
}

function setEntryOf(pfn: string): string {
  return `{"seq":0,"cpu":0,"op":1,"kind":"set_entry","pfn":${pfn},"page":1,"old":"0x1","new":"0x2"}\n`;
}

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
{"end":true,"events":3}
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
    [
      'a text without its last line',
      HEAD + LOCK,
      'run.jsonl:3: the log is cut: got the end of the text, want the last',
    ],
    ['a header alone', HEAD, 'run.jsonl:2: the log is cut: got the end of the text, want the last line, {"end":true,'],
    [
      'a text that lacks its first event',
      HEAD + LOCK.replace('"seq":0', '"seq":1') + END.replace('0', '2'),
      'run.jsonl:3: events are missing: got {"end":true,"events":2}, want {"end":true,"events":1}',
    ],
    [
      'an end that says more',
      HEAD + END.replace('{', '{"colour":1,'),
      'run.jsonl:2: events are missing: got {"colour":1,"end":true,"events":0}, want {"end":true,"events":0}',
    ],
    ['a line behind the end', HEAD + END + LOCK, 'run.jsonl:3: a line behind the end of the log: want none'],
    ['a pfn of 2^53', lookUpOf('9007199254740992'), 'run.jsonl:2: bad pfn: got 9007199254740992, want a whole number'],
    ['a pfn of 2^52 in the list', HEAD + setEntryOf('4503599627370496'), 'run.jsonl:2: bad pfn: got 4503599627370496,'],
    ['a fraction of a pfn', lookUpOf('1.5'), 'run.jsonl:2: bad pfn: got 1.5, want a whole number'],
    ['a negative pfn', lookUpOf('-1'), 'run.jsonl:2: bad pfn: got -1, want a whole number'],
    [
      'a line of 10 MB',
      `${HEAD}${' '.repeat(10_000_000)}${LOCK}`,
      `run.jsonl:2: line too long: got ${10_000_000 + LOCK.length - 1} bytes, want at most 8388608 bytes a line`,
    ],
    [
      'a beginning of 10 MB without a line',
      'x'.repeat(10_000_000),
      'run.jsonl:1: line too long: got 10000000 bytes or more, want at most 8388608 bytes a line',
    ],
    ['binary garbage', '\u0000\u0001\u0002\n', 'run.jsonl:1: not JSON'],
    ['a byte order mark', `\ufeff${HEAD}`, 'run.jsonl:1: not JSON'],
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
    const event = (kind: string): string => `${HEAD}{"seq":0,"cpu":0,"op":1,"kind":${kind}}\n${END.replace('0', '1')}`;
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

describe('printLines', () => {
  it('refuses an event that no reader would take, and says so', () => {
    const batch = new EventBatch();
    const runs = Array.from({ length: 300_000 }, () => [1, mfnWord(0x3fff_ffff), -0x8000_0000]).flat();
    batch.push(KINDS.boot.id, 0, 0, 4, batch.pushPayload(runs));
    expect(() => printLines(batch, new EntryCodec(64))).toThrow(
      /too long for a line of JSON: got event 0 \(boot\): \d+ bytes, want at most 8388608 \(the binary log takes it\)/,
    );
  });
});

describe('JsonlWriter', () => {
  it('writes what printEvents prints, in whatever batches the events come', () => {
    const { batch, codec } = twoEvents();
    const parts: string[] = [];
    const writer = new JsonlWriter((bytes) => parts.push(new TextDecoder().decode(bytes)), HEADER, codec);
    for (let i = 0; i < 2; i++) {
      const one = new EventBatch();
      one.copyRow(batch, i, payloadColumn(batch.kind[i]!));
      writer.append(one);
    }
    writer.append(new EventBatch());
    writer.close();
    expect(parts.join('')).toBe(printEvents(HEADER, batch, codec));
  });

  it('prints the facts of the header in one order, whatever order they come in', () => {
    const turned = { entryBits: 64, kernel: '7.0', geometry: 'tiny' } as const;
    expect(printEvents(turned, new EventBatch(), new EntryCodec(64))).toBe(HEAD + END);
  });
});

describe('JsonlReader', () => {
  function reading(...chunks: readonly (string | Uint8Array)[]): { read: string[]; error: string } {
    const read: string[] = [];
    let codec = new EntryCodec(64);
    const handler: EventHandler = {
      onHeader: (header, itsCodec) => {
        codec = itsCodec;
        read.push(`header of ${header.geometry}`);
      },
      onEvents: (batch, seq) => {
        for (let i = 0; i < batch.length; i++) {
          read.push(`${viewEvent(batch, i, codec, seq + i).kind} ${seq + i} at line ${reader.placeOf(i).line}`);
        }
      },
    };
    const reader = new JsonlReader(handler, 'run.jsonl');
    try {
      for (const chunk of chunks) reader.push(typeof chunk === 'string' ? new TextEncoder().encode(chunk) : chunk);
      reader.end();
    } catch (error) {
      if (!(error instanceof P2mError) || error.exitCode !== 3) throw error;
      return { read, error: error.message.split('\n')[0]! };
    }
    return { read, error: '' };
  }

  it('reads a text in any pieces, and says which line each event stands in', () => {
    const { batch, codec } = twoEvents();
    const text = printEvents(HEADER, batch, codec);
    const whole = { read: ['header of tiny', 'set_entry 0 at line 2', 'boot 1 at line 3'], error: '' };
    for (let size = 1; size < text.length; size += 7) {
      const chunks: string[] = [];
      for (let at = 0; at < text.length; at += size) chunks.push(text.slice(at, at + size));
      expect(reading(...chunks)).toEqual(whole);
    }
  });

  it('hands on what stands before a bad line before it complains', () => {
    const { batch, codec } = twoEvents();
    const bad = printEvents(HEADER, batch, codec).replace('"boot"', '"boat"');
    const { read, error } = reading(bad);
    expect(read).toEqual(['header of tiny', 'set_entry 0 at line 2']);
    expect(error).toContain('run.jsonl:3: bad kind: got "boat"');
  });

  it('refuses bytes that are no UTF-8', () => {
    expect(reading(HEAD, Uint8Array.of(0x22, 0xff, 0x22, 0x0a))).toEqual({
      read: ['header of tiny'],
      error: 'run.jsonl:2: not UTF-8: want JSON text',
    });
  });

  it('hands on a long text in batches', () => {
    const lines = Array.from({ length: 2500 }, (_, seq) => LOCK.replace('"seq":0', `"seq":${seq}`));
    const sizes: number[] = [];
    const reader = new JsonlReader({ onHeader: () => undefined, onEvents: (batch) => sizes.push(batch.length) }, 'f');
    reader.push(new TextEncoder().encode(HEAD + lines.join('') + END.replace('0', '2500')));
    reader.end();
    expect(sizes).toEqual([1024, 1024, 452]);
    expect(reader.events).toBe(2500);
  });

  it('lets what the handler throws come out, and does not call it again for that batch', () => {
    let calls = 0;
    const onEvents = (): never => {
      calls++;
      throw new RangeError('enough');
    };
    const reader = new JsonlReader({ onHeader: () => undefined, onEvents }, 'f');
    expect(() => reader.push(new TextEncoder().encode(HEAD + LOCK))).toThrow(/enough/);
    expect(calls).toBe(1);
  });
});

function twoEvents(): { batch: EventBatch; codec: EntryCodec } {
  const batch = new EventBatch();
  const codec = new EntryCodec(64);
  batch.push(KINDS.set_entry.id, 1, 2, 5, 31, INVALID, mfnWord(77));
  batch.push(KINDS.boot.id, 0, 3, 4, batch.pushPayload([4, codec.identityOf(0), 1]));
  return { batch, codec };
}

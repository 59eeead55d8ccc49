import { describe, expect, it } from 'vitest';
import { FtraceDecoder } from '../../../replay/trace/ftrace.js';
import { decoderFor } from '../../../replay/trace/sniff.js';
import { TraceEvent, type TraceLine, TraceNames } from '../../../replay/trace/trace_line.js';
import { LINE_BYTES_MAX, TraceReader } from '../../../replay/trace/trace_reader.js';
import { bytesOf, complaintOf, readChunks, readLog, readText } from './trace_lines.js';

const LINE = 'gnt-379 [000] ..... 131.291121: xen_alloc_p2m_entry: (xen_alloc_p2m_entry+0x0/0x870) pfn=0x4fff7';

describe('TraceReader', () => {
  it('counts lines, events, events by name, and bytes', () => {
    const text = `# a comment\n${LINE}\n${LINE}\nCPU:0 [LOST 3 EVENTS]\n`;
    const { reader } = readText(text);
    expect(reader.lines).toBe(4);
    expect(reader.events).toBe(2);
    expect(reader.eventCount(TraceEvent.xen_alloc_p2m_entry)).toBe(2);
    expect(reader.eventCount(TraceEvent.set_phys_to_machine)).toBe(0);
    expect(reader.eventCount(99_999)).toBe(0);
    expect(reader.bytes).toBe(text.length);
    expect(reader.unterminated).toBe(false);
  });

  it('counts any number of event names', () => {
    const text = Array.from({ length: 500 }, (_, i) => `a-1 [000] 1: name${i}: x\n`).join('');
    const { reader, decoder } = readText(text + text);
    const counts = Array.from({ length: decoder.names.events.size }, (_, id) => reader.eventCount(id));
    expect(counts.filter((count) => count === 2)).toHaveLength(500);
  });

  it('says that a last line without a newline may be cut, where it can be read', () => {
    const { events, reader } = readText(`${LINE}\n${LINE}`);
    expect(events.map(({ unterminated }) => unterminated)).toEqual([false, true]);
    expect(reader.unterminated).toBe(true);
    expect(reader.bytes).toBe(2 * LINE.length + 1);
  });

  it('refuses a last line that is cut so that it cannot be read', () => {
    const cut = LINE.slice(0, LINE.indexOf('+0x0'));
    const complaint = complaintOf(() => readText(`${LINE}\n${cut}`));
    expect(complaint).toMatchObject({ line: 2, text: cut, expected: '")" after the probed place' });
    expect(complaint.message).toContain('unclosed parenthesis in the last line, which has no newline and is cut');
  });

  it('hands on what it read before an error', () => {
    const lines: number[] = [];
    const handler = { onEvent: ({ line }: { line: number }) => void lines.push(line), onLoss: () => undefined };
    const reader = new TraceReader(new FtraceDecoder(), handler, 'trace.txt');
    expect(() => reader.push(bytesOf(`${LINE}\n${LINE}\nnonsense\n${LINE}\n`))).toThrow('trace.txt:3:1');
    expect(lines).toEqual([1, 2]);
  });

  it('refuses a line of more than 1 MiB, at once and chunk by chunk', () => {
    const long = new Uint8Array(10 * LINE_BYTES_MAX).fill(0x61);
    expect(complaintOf(() => readChunks([bytesOf(`${LINE}\n`), long, bytesOf('\n')]))).toMatchObject({
      line: 2,
      byte: LINE.length + 1,
      got: `${long.length} bytes or more`,
      expected: `at most ${LINE_BYTES_MAX} bytes a line`,
    });
    const ended = new Uint8Array([...bytesOf(`${LINE}\n`), ...long.subarray(0, LINE_BYTES_MAX + 1), 0x0a]);
    expect(complaintOf(() => readChunks([ended]))).toMatchObject({ line: 2, got: `${LINE_BYTES_MAX + 1} bytes` });
    const pieces = Array.from({ length: 20 }, () => long.subarray(0, LINE_BYTES_MAX / 10));
    expect(complaintOf(() => readChunks(pieces))).toMatchObject({ line: 1, byte: 0 });
  });

  it('takes a line of 1 MiB', () => {
    const comment = new Uint8Array(LINE_BYTES_MAX + 1).fill(0x23);
    comment[LINE_BYTES_MAX] = 0x0a;
    expect(readChunks([comment.subarray(0, 1000), comment.subarray(1000)]).reader.lines).toBe(1);
  });

  it('names the byte of binary data', () => {
    const complaint = complaintOf(() => readText(`${LINE}\ngnt-3\u0000\u0001\n`));
    expect(complaint).toMatchObject({
      line: 2,
      column: 6,
      byte: LINE.length + 6,
      got: 'byte 0x00',
      expected: 'ftrace text',
    });
    expect(complaint.message).not.toContain('\u0000');
  });

  it.each([
    ['\x17\x08\x44tracing6', 'trace-cmd report'],
    ['PERFILE2\u0000', 'perf script'],
    ['\x1f\u008b\u0008', 'unzip'],
  ])('knows the binary files that people mistake for logs: %j', (beginning, hint) => {
    const bytes = Uint8Array.from(beginning, (character) => character.charCodeAt(0));
    expect(complaintOf(() => readChunks([bytes])).hint).toContain(hint);
  });

  describe.each([
    ['trace-cmd', ' gnt-7 [000] 1.0: xen_alloc_p2m_entry: (ffffffff81021d10) pfn=0x1'],
    ['perf', ' gnt 7 [000] 1.0: p2m:xen_alloc_p2m_entry: (ffffffff81021d10) pfn=0x1'],
    ['early-boot', '1 cpu0 xen_alloc_p2m_entry: caller=0x1 pfn=0x1'],
    ['ftrace', LINE],
  ] as const)('of %s', (format, line) => {
    const read = (bytes: Uint8Array) => readLog([bytes], decoderFor(format, new TraceNames()));
    const next = line.replace(/^1 /, '2 ');

    it('refuses a cut last line, a line of 10 MB and binary garbage where they stand', () => {
      const cut = next.slice(0, next.indexOf('pfn=') + 4);
      expect(complaintOf(() => read(bytesOf(`${line}\n${cut}`)))).toMatchObject({ line: 2, text: cut });
      expect(complaintOf(() => read(bytesOf(`${line}\n${cut}`))).message).toContain(
        'in the last line, which has no newline',
      );
      const long = bytesOf(`${line}\n${' '.repeat(10_000_000)}\n`);
      expect(complaintOf(() => read(long))).toMatchObject({ line: 2, byte: line.length + 1 });
      const garbage = Uint8Array.from([...bytesOf(`${line}\n`), 0xff, 0x00, 0x12, 0x0a]);
      expect(complaintOf(() => read(garbage))).toMatchObject({ line: 2, byte: line.length + 2, got: 'byte 0x00' });
    });

    it('reads lines that end in \\r\\n as those that end in \\n', () => {
      const lines = Array.from({ length: 5 }, (_, i) =>
        line.replace(/^1 /, `${i + 1} `).replace(/pfn=0x.*/, `pfn=0x${i}`),
      );
      const unix = read(bytesOf(lines.map((text) => `${text}\n`).join(''))).events;
      const serial = read(bytesOf(lines.map((text) => `${text}\r\n`).join(''))).events;
      expect(serial).toEqual(unix.map((event, i) => ({ ...event, byte: event.byte + i })));
    });

    it('says that the last line may be cut where it can be read', () => {
      const { events, reader } = read(bytesOf(`${line}\n${next}`));
      expect(events.map(({ unterminated }) => unterminated)).toEqual([false, true]);
      expect(reader.unterminated).toBe(true);
    });
  });

  it("tells an event's own loss before the event, and comments where they are wanted", () => {
    const told: string[] = [];
    const handler = {
      onEvent: ({ call }: TraceLine) => void told.push(`event ${call}`),
      onLoss: ({ lost }: TraceLine) => void told.push(`loss ${lost}`),
    };
    const log = bytesOf('# a comment\n3 cpu0 p2m_mid_mfn_init: \n4 cpu0 p2m_mid_mfn_init: \n');
    new TraceReader(decoderFor('early-boot', new TraceNames()), handler, 'calls.txt').push(log);
    expect(told).toEqual(['loss 2', 'event 3', 'event 4']);
  });

  it('takes an empty log', () => {
    expect(readText('').reader.lines).toBe(0);
  });
});

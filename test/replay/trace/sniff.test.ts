import { describe, expect, it } from 'vitest';
import { P2mError } from '../../../events/index.js';
import { decoderFor, sniffLog, SNIFF_BYTES_MAX } from '../../../replay/trace/sniff.js';
import { TraceNames } from '../../../replay/trace/trace_line.js';
import { bytesOf, complaintOf, sample } from './trace_lines.js';

const FTRACE = ' xen-balloon-41 [000] ..... 87.5: set_phys_to_machine: (set_phys_to_machine+0x0/0x40) pfn=0x1 mfn=0x2';
const TRACE_CMD = ' xen-balloon-41 [000] 87.5: set_phys_to_machine: (ffffffff81021d10) pfn=0x1 mfn=0x2';
const PERF = ' xen-balloon 41 [000] 87.5: p2m:set_phys_to_machine: (ffffffff81021d10) pfn=0x1 mfn=0x2';
const EARLY_BOOT = '1 cpu0 set_phys_to_machine: caller=0xffffffff83082262 pfn=0x1 mfn=0x2';

const sniff = (text: string) => sniffLog(bytesOf(text), 'log.txt');

describe('sniffLog', () => {
  it.each([
    ['trace-cmd-report.txt', 'trace-cmd'],
    ['trace-cmd-dropped.txt', 'trace-cmd'],
    ['trace-cmd-latency.txt', 'trace-cmd'],
    ['trace-cmd-ts-diff.txt', 'trace-cmd'],
    ['perf-script.txt', 'perf'],
    ['perf-lost.txt', 'perf'],
    ['perf-fields.txt', 'perf'],
    ['early-boot-calls.txt', 'early-boot'],
  ])('knows the real log %s', (name, format) => {
    expect(sniffLog(sample(name), name)).toBe(format);
  });

  it.each([
    [FTRACE, 'ftrace'],
    [TRACE_CMD, 'trace-cmd'],
    [PERF, 'perf'],
    [EARLY_BOOT, 'early-boot'],
    [`cpus=2\n${FTRACE}`, 'trace-cmd'],
    [`CPU:1 [LOST 12 EVENTS]\n${FTRACE}`, 'ftrace'],
    [`CPU:1 [12 EVENTS DROPPED]\n${TRACE_CMD}`, 'trace-cmd'],
    [`gnt 1 [000] 1.0: PERF_RECORD_LOST lost 17\n`, 'perf'],
    [`\n\r\n${PERF}\r\n`, 'perf'],
  ])('knows a log of one line without a header: %j', (text, format) => {
    expect(sniff(text)).toBe(format);
    expect(sniff(`${text}\n`)).toBe(format);
  });

  it.each([
    ['ftrace without flags', 'a-1 [000] 1: set_phys_to_machine: (set_phys_to_machine+0x0/0x40) pfn=0x1', 'ftrace'],
    ['a tracepoint', 'a-1 [000] ..... 1.0: xen_mmu_set_pte: ptep 1 pteval 2 (raw 3)', 'ftrace'],
    ['an event of another name', 'a-1 [000] ..... 1.0: sched_switch: prev_comm=b prev_pid=3', 'ftrace'],
    ['the function tracer', 'a-1 [000] ..... 1.0: xen_alloc_p2m_entry <-set_phys_to_machine', 'ftrace'],
    ['an event of another group', 'a 1 [000] 1.0: sched:sched_switch: prev_comm=b prev_pid=3', 'perf'],
    ['a function of another name', '1 cpu0 xen_start_kernel: caller=0x1', 'early-boot'],
  ])('knows a log that begins with %s', (_, text, format) => {
    expect(sniff(`${text}\n`)).toBe(format);
  });

  it('is not misled by comments', () => {
    const comments =
      '# cpus=2\n# tracer: nop\n# ========\n# captured on : today\n# 1 cpu0 f: \n# xen_p2m_size=0x20000\n';
    expect(sniff(comments + PERF)).toBe('perf');
    expect(sniff(comments + EARLY_BOOT)).toBe('early-boot');
    expect(sniff(comments + FTRACE)).toBe('ftrace');
    expect(sniff(`${comments}cpus=2\n${TRACE_CMD}`)).toBe('trace-cmd');
  });

  it.each([
    [FTRACE.replace('xen-balloon', 'a 12 [001] 5:'), 'ftrace'],
    [FTRACE.replace('xen-balloon', 'cpus=2'), 'ftrace'],
    [FTRACE.replace('xen-balloon', '1 cpu0 f: x'), 'ftrace'],
    [FTRACE.replace('xen-balloon', '{"format":"p2m'), 'ftrace'],
    [PERF.replace('xen-balloon', 'a-1 [000] x'), 'perf'],
    [PERF.replace('xen-balloon', '1 cpu0 f: x'), 'perf'],
    [TRACE_CMD.replace('xen-balloon', 'a 12'), 'trace-cmd'],
  ])('is not misled by the name of a task: %j', (text, format) => {
    expect(sniff(`${text}\n`)).toBe(format);
  });

  it('passes over a beginning that is damaged', () => {
    expect(sniff(`d10) pfn=0x1 mfn=0x2\n${PERF}\n`)).toBe('perf');
  });

  it.each([
    ['# tracer: nop\n#\n# entries-in-buffer/entries-written: 0/0   #P:2\n', 'ftrace'],
    ['cpus=2\n', 'trace-cmd'],
    ['version = 7\nCPU 0 is empty\n', 'trace-cmd'],
    ['# ========\n# captured on    : Sun Nov 22 21:11:38 2026\n', 'perf'],
    ['# xen_p2m_addr=0x8000000000 xen_p2m_size=0x20000\n', 'early-boot'],
  ])('knows a log without any event by its headings: %j', (text, format) => {
    expect(sniff(text)).toBe(format);
  });

  it('knows our own logs', () => {
    expect(sniff('{"format":"p2m-events","version":1,"geometry":"tiny"}\n{}\n')).toBe('jsonl');
    expect(sniff('{ "version" : 9, "format" : "p2m-events" }')).toBe('jsonl');
    expect(sniffLog(Uint8Array.of(0x89, ...bytesOf('p2mlog\n'), 0, 0, 0, 0), 'run.p2mlog')).toBe('p2mlog');
  });

  it('looks at the first 64 KiB only, and leaves out the line that they cut', () => {
    const comments = '# a comment of 32 characters ...\n'.repeat(4000).slice(0, SNIFF_BYTES_MAX - 20);
    expect(() => sniff(`${comments}\n${PERF}\n`)).toThrow(P2mError);
    expect(sniff(`${comments.slice(0, 60_000)}\n${PERF}\n${comments}`)).toBe('perf');
  });

  it('says what an unknown file begins with, and what is read', () => {
    expect(complaintOf(() => sniff('hello world\nmore\n'))).toMatchObject({
      file: 'log.txt',
      line: 1,
      got: '"hello world"',
      message: expect.stringMatching(
        /^log\.txt:1:byte 0: not a log that can be read: got "hello world", want ftrace text,/,
      ) as string,
    });
    expect(complaintOf(() => sniff('{"format":"other"}\n')).got).toContain('other');
    expect(complaintOf(() => sniff('# only a comment\n')).got).toBe('"# only a comment"');
    expect(complaintOf(() => sniff('\n\n')).got).toBe('""');
    expect(complaintOf(() => sniff('x'.repeat(10_000_000))).message.length).toBeLessThan(600);
  });

  it('knows binary data, and the files that people mistake for logs', () => {
    const of = (...bytes: number[]) => complaintOf(() => sniffLog(Uint8Array.from(bytes), 'log.txt'));
    expect(of(1, 2, 3, 255)).toMatchObject({ got: 'binary data' });
    expect(of(0x17, 8, 0x44, ...bytesOf('tracing6')).hint).toContain('trace-cmd report');
    expect(of(...bytesOf('PERFILE2'), 0, 0).hint).toContain('perf script');
    expect(of(0x1f, 0x8b, 8).hint).toContain('unzip');
  });

  it('refuses an empty file', () => {
    expect(complaintOf(() => sniff(''))).toMatchObject({
      file: 'log.txt',
      message: expect.stringContaining('empty log') as string,
    });
  });
});

describe('decoderFor', () => {
  it('gives the decoder of a format, which keeps its names where it is told', () => {
    for (const [format, text] of [
      ['ftrace', FTRACE],
      ['trace-cmd', TRACE_CMD],
      ['perf', PERF],
      ['early-boot', EARLY_BOOT],
    ] as const) {
      const names = new TraceNames();
      const decoder = decoderFor(format, names);
      expect(decoder.names).toBe(names);
      expect(sniff(text)).toBe(format);
      expect(decoder.format.toLowerCase()).toContain(format.split('-')[0]);
    }
  });
});

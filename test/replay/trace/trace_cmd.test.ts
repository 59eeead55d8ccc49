import { describe, expect, it } from 'vitest';
import { TraceCmdDecoder } from '../../../replay/trace/trace_cmd.js';
import { LOST_UNKNOWN } from '../../../replay/trace/trace_line.js';
import { bytesOf, complaintOf, countsOf, readLog, sample, type Seen, type SeenLine } from './trace_lines.js';

const RETURN =
  '     xen-balloon-41    [001]    75.650682: __set_phys_to_machine_ret: (ffffffff81021d10 <- ffffffff81661385) ret=1';

function readText(text: string): Seen<TraceCmdDecoder> {
  return readLog([bytesOf(text)], new TraceCmdDecoder(), 'report.txt');
}

function readLine(text: string): SeenLine {
  return readText(`${text}\n`).events[0]!;
}

describe('TraceCmdDecoder', () => {
  it('reads a line as trace-cmd report prints it, the place of a return as it stands', () => {
    expect(readLine(RETURN)).toMatchObject({
      task: 'xen-balloon',
      pid: 41,
      cpu: 1,
      time: '75.650682',
      event: '__set_phys_to_machine_ret',
      args: { ret: '0x1' },
      place: 'ffffffff81021d10 <- ffffffff81661385',
      text: RETURN,
    });
  });

  it('reads the text of a real report', () => {
    const seen = readLog([sample('trace-cmd-report.txt')], new TraceCmdDecoder());
    expect(countsOf(seen)).toEqual({ __set_phys_to_machine: 75, __set_phys_to_machine_ret: 75 });
    expect(seen.events.at(-1)).toMatchObject({ line: 151, time: '75.652113', args: { ret: '0x1' } });
    expect(seen.losses).toEqual([]);
    expect(seen.decoder.summary).toBeUndefined();
  });

  it('reads -l, with the flags right behind the CPU, and -t, with nanoseconds', () => {
    const { events } = readLog([sample('trace-cmd-latency.txt')], new TraceCmdDecoder());
    expect(events).toHaveLength(60);
    expect(events[0]).toMatchObject({
      task: 'xen-ball',
      pid: 41,
      cpu: 1,
      time: '75.649772872',
      event: '__set_phys_to_machine',
      args: { pfn: '0xb5f6', mfn: '0xffffffffffffffff' },
    });
  });

  it.each([
    ['xen-ball-41      1.N...    75.6: p2m_mid_mfn_init: (f)', 'xen-ball', 41, 1],
    ['   <...>-4194304  12dNh2..  75.6: p2m_mid_mfn_init: (f)', '<...>', 4194304, 12],
    ['a 1-2 b-7      0.....    75: p2m_mid_mfn_init: (f)', 'a 1-2 b', 7, 0],
    ['     gnt-7      0-0x4    75.6: p2m_mid_mfn_init: (f)', 'gnt', 7, 0],
    ['             gnt-7     [000] d..1.    75.6: p2m_mid_mfn_init: (f)', 'gnt', 7, 0],
    ['   kworker/0:1-12    [000]    75.6: p2m_mid_mfn_init:     (f)', 'kworker/0:1', 12, 0],
    ['       a [1] b-12    [003]    75.6: p2m_mid_mfn_init:     (f)', 'a [1] b', 12, 3],
  ])('reads the head of %j', (text, task, pid, cpu) => {
    expect(readLine(text)).toMatchObject({ task, pid, cpu, event: 'p2m_mid_mfn_init' });
  });

  it('passes over the differences of --ts-diff', () => {
    const { events } = readLog([sample('trace-cmd-ts-diff.txt')], new TraceCmdDecoder());
    expect(events).toHaveLength(30);
    expect(events[1]).toMatchObject({ time: '75.650682', event: '__set_phys_to_machine_ret', args: { ret: '0x1' } });
  });

  it('reads the pointers that user space prints with 0x', () => {
    const line = 'init-1 [001] 96.1: xen_mmu_set_pte: ptep 0xffff888006522000 pteval 80000000064eb063 (raw 0x5)';
    expect(readLine(line).args).toEqual({ entryp: '0xffff888006522000', entryval: '0x80000000064eb063', raw: '0x5' });
    const nil = 'init-1 [001] 96.1: xen_mmu_set_pte: ptep (nil) pteval 1 (raw 2)';
    expect(readLine(nil).args).toEqual({ entryval: '0x1', raw: '0x2' });
  });

  it('reads no argument of an event that trace-cmd could not print', () => {
    const failed = 'init-1 [001] 96.1: xen_mmu_set_pte: [FAILED TO PARSE] ptep=0xffff888006522000 pteval=24066051';
    expect(readLine(failed)).toMatchObject({ event: 'xen_mmu_set_pte', args: {} });
  });

  it('reads -R, which prints the fields only', () => {
    const raw = 'gnt-7 [001] 96.1: __set_phys_to_machine:  __probe_ip=ffffffff81021d10 pfn=0xb5f6 mfn=0x1';
    expect(readLine(raw).args).toEqual({ pfn: '0xb5f6', mfn: '0x1' });
  });

  it('reports losses where they stand in a real report', () => {
    const { losses, events } = readLog([sample('trace-cmd-dropped.txt')], new TraceCmdDecoder());
    expect(losses).toEqual([{ line: 24, cpu: 1, lost: LOST_UNKNOWN }]);
    expect(events).toHaveLength(50);
    expect(events.every(({ lost }) => lost === 0)).toBe(true);
  });

  it('reports losses with their number, also behind the name of a file', () => {
    const text = `CPU:12 [345 EVENTS DROPPED]\n${RETURN}\n  trace.dat: CPU:0 [1 EVENTS DROPPED]\n`;
    expect(readText(text).losses).toEqual([
      { line: 1, cpu: 12, lost: 345 },
      { line: 3, cpu: 0, lost: 1 },
    ]);
  });

  it('passes over lines that are no events', () => {
    const text =
      'version = 7\nCPU 1 is empty\ncpus=2\n  trace.dat: cpus=2\nCPU:1 [SUBBUFFER START] [8:0x1000]\n\n' +
      `# a comment\n${RETURN}\n a-1 [000] 1.0: kernel_stack:         <stack trace >\n=> f (ffffffff81021d10)\n`;
    const { events, losses, reader } = readText(text);
    expect(events.map(({ event }) => event)).toEqual(['__set_phys_to_machine_ret', 'kernel_stack']);
    expect([losses, reader.lines]).toEqual([[], 10]);
  });

  it.each([
    ['hello world', 'not a line of trace-cmd report', '"hello"'],
    ['gnt-1 [000] 1.x: p2m_mid_mfn_init: (f)', 'bad time', '"1.x:"'],
    ['gnt-1 [000] 1.0: some words here', 'no event', '"some"'],
    ['gnt-1 [000] 1.0: (+9 set_phys_to_machine: (f)', 'no event', '"(+9"'],
    ['gnt-1 [000] 1.0: set_phys_to_machine: (f) pfn=zz', 'bad value of pfn', '"zz"'],
    ['gnt-1 [000] 1.0: set_phys_to_machine: (ffffffff8102', 'unclosed parenthesis', '"(ffffffff8102"'],
    ['CPU:1 [many EVENTS DROPPED]', 'not a line of trace-cmd report', '"CPU:1"'],
  ])('refuses %j', (text, what, got) => {
    const complaint = complaintOf(() => readText(`cpus=2\n${RETURN}\n${text}\n`));
    expect(complaint).toMatchObject({ file: 'report.txt', line: 3, text });
    expect(complaint.message).toContain(`${what}: got ${got}`);
  });

  it('takes any 64-bit value', () => {
    const line = 'gnt-1 [000] 1.0: set_phys_to_machine: (f) pfn=0x10000000000000 mfn=18446744073709551615';
    expect(readLine(line).args).toEqual({ pfn: '0x10000000000000', mfn: '0xffffffffffffffff' });
  });
});

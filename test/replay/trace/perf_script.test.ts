import { describe, expect, it } from 'vitest';
import { PerfScriptDecoder } from '../../../replay/trace/perf_script.js';
import { LOST_UNKNOWN } from '../../../replay/trace/trace_line.js';
import { bytesOf, complaintOf, countsOf, readLog, sample, type Seen, type SeenLine } from './trace_lines.js';

const RETURN =
  '     xen-balloon    41 [000]   179.938085:        p2m:__set_phys_to_machine_ret: (ffffffff81021d10 <- ffffffff81661385) ret=1';
const INIT = 'p2m:p2m_mid_mfn_init: (ffffffff81021d10)';

function readText(text: string): Seen<PerfScriptDecoder> {
  return readLog([bytesOf(text)], new PerfScriptDecoder(), 'script.txt');
}

function readLine(text: string): SeenLine {
  return readText(`${text}\n`).events[0]!;
}

describe('PerfScriptDecoder', () => {
  it('reads a line as perf script prints it', () => {
    expect(readLine(RETURN)).toMatchObject({
      task: 'xen-balloon',
      pid: 41,
      cpu: 0,
      time: '179.938085',
      event: '__set_phys_to_machine_ret',
      args: { ret: '0x1' },
      place: 'ffffffff81021d10 <- ffffffff81661385',
    });
  });

  it('reads the text of a real recording', () => {
    const seen = readLog([sample('perf-script.txt')], new PerfScriptDecoder());
    expect(countsOf(seen)).toEqual({ __set_phys_to_machine: 50, __set_phys_to_machine_ret: 50 });
    expect([seen.losses, seen.decoder.summary]).toEqual([[], undefined]);
  });

  it.each([
    ['xen-balloon    41 [000]   179.9:', 'xen-balloon', 41, 0, '179.9'],
    ['xen-balloon    41/42    [000]   179.929362416:', 'xen-balloon', 42, 0, '179.929362416'],
    ['xen-balloon    41   179.9:', 'xen-balloon', 41, 0, '179.9'],
    ['   41 [003]   179.9:', '', 41, 3, '179.9'],
    ['41 179.9:', '', 41, 0, '179.9'],
    ['Web Content 12   41 [012]   179.9:', 'Web Content 12', 41, 12, '179.9'],
    ['a 1 [002] b: c  41 [001]   179.9:', 'a 1 [002] b: c', 41, 1, '179.9'],
    ['kworker/0:1-ev    12 [001]   179.9:', 'kworker/0:1-ev', 12, 1, '179.9'],
    ['swapper     0 [001] KU   179.9:', 'swapper', 0, 1, '179.9'],
    ['swapper     0 [001]   179.9:          1 ', 'swapper', 0, 1, '179.9'],
    ['gnt 275 179.9: ', 'gnt', 275, 0, '179.9'],
  ])('reads the head %j', (head, task, pid, cpu, time) => {
    expect(readLine(`     ${head}   ${INIT}`)).toMatchObject({ task, pid, cpu, time, event: 'p2m_mid_mfn_init' });
  });

  it('drops the group of the events that mean something, whatever it is, and keeps that of the others', () => {
    const events = (text: string) => readLine(`gnt 275 [000] 179.9: ${text}`);
    expect(events('probe:set_phys_to_machine: (f) pfn=0x1 mfn=0x2')).toMatchObject({
      event: 'set_phys_to_machine',
      args: { pfn: '0x1', mfn: '0x2' },
    });
    expect(events('kprobes:get_phys_to_machine: (f) pfn=0x1').event).toBe('get_phys_to_machine');
    expect(events('set_phys_to_machine: (f) pfn=0x1').args).toEqual({ pfn: '0x1' });
    expect(events('xen:xen_mmu_set_pte: ptep 0xffff888006522000 pteval 64eb063 (raw 5)')).toMatchObject({
      event: 'xen_mmu_set_pte',
      args: { entryp: '0xffff888006522000', entryval: '0x64eb063', raw: '0x5' },
    });
    expect(events('sched:sched_switch: prev_comm=a').event).toBe('sched:sched_switch');
    expect(events('250000 cpu-clock:pppH: ').event).toBe('cpu-clock:pppH');
  });

  it('reads other fields, records of other kinds and a header', () => {
    const { events, losses } = readLog([sample('perf-fields.txt')], new PerfScriptDecoder());
    expect(losses).toEqual([]);
    expect(events.map(({ event }) => event).slice(0, 2)).toEqual(['PERF_RECORD_COMM', '__set_phys_to_machine']);
    expect(events).toHaveLength(51);
    expect(events[1]).toMatchObject({
      task: 'xen-balloon',
      pid: 41,
      time: '179.929362416',
      args: { pfn: '0xd1db', mfn: '0xffffffffffffffff' },
    });
  });

  it('reports losses where they stand in a real recording', () => {
    const { losses, events } = readLog([sample('perf-lost.txt')], new PerfScriptDecoder());
    expect(losses).toEqual([{ line: 5, cpu: 0, lost: 17 }]);
    expect(events).toHaveLength(59);
  });

  it('reports the other ways in which perf tells a loss', () => {
    const text =
      `${RETURN}\n gnt 7 [001] 1.0: PERF_RECORD_LOST_SAMPLES lost 23\n gnt 7 [001] 1.0: PERF_RECORD_LOST\n` +
      'Warning:\nProcessed 20368 events and lost 2 chunks!\n\nCheck IO/CPU overload!\n\nLOST 12 events!\n';
    expect(readText(text).losses).toEqual([
      { line: 2, cpu: 1, lost: 23 },
      { line: 3, cpu: 1, lost: LOST_UNKNOWN },
      { line: 5, cpu: -1, lost: LOST_UNKNOWN },
      { line: 9, cpu: -1, lost: 12 },
    ]);
  });

  it('passes over call chains', () => {
    const chain =
      '\tffffffff81021d10 __set_phys_to_machine+0x0 ([kernel.kallsyms])\n' +
      '\tffffffffc0201000 gntdev_map+0x15d ([xen_gntdev])\n' +
      '\t            4f2a [unknown] (/usr/bin/my gnt)\n' +
      '\t               0\n\n';
    const spaces = '        ffffffff81021d10 __set_phys_to_machine+0x0 ([kernel.kallsyms])\n\n';
    const { events, reader } = readText(`${RETURN}\n${chain}${RETURN}\n${spaces}gnt 7 179.9: ${INIT}\n`);
    expect(events.map(({ line }) => line)).toEqual([1, 7, 10]);
    expect(reader.lines).toBe(10);
  });

  it.each([
    ['hello world', 'not a line of perf script', '"hello"'],
    ['gnt-7 [000] 179.9: p2m:p2m_mid_mfn_init: (f)', 'not a line of perf script', '"gnt-7"'],
    [' dead 7 [000] 179.x9: p2m:p2m_mid_mfn_init: (f)', 'bad time', '"179.x9:"'],
    [' gnt 7 [000] 179.9: some words', 'no event', '"some"'],
    [' gnt 7 [000] p2m:p2m_mid_mfn_init: (f)', 'bad flags', '"p2m:p2m_mid_mfn_init:"'],
    [' gnt 7 [000] 179.9: p2m:set_phys_to_machine: (f) pfn=zz', 'bad value of pfn', '"zz"'],
    [' gnt 7 [000] 179.9: p2m:$(rm): x', 'bad event name', '"p2m:$(rm):"'],
  ])('refuses %j', (text, what, got) => {
    const complaint = complaintOf(() => readText(`# a header\n${RETURN}\n${text}\n`));
    expect(complaint).toMatchObject({ file: 'script.txt', line: 3, text });
    expect(complaint.message).toContain(`${what}: got ${got}`);
  });

  it('takes any 64-bit value', () => {
    const line = 'gnt 7 [000] 1.0: p2m:set_phys_to_machine: (f) pfn=0x10000000000000 mfn=18446744073709551615';
    expect(readLine(line).args).toEqual({ pfn: '0x10000000000000', mfn: '0xffffffffffffffff' });
  });
});

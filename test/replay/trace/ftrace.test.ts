import { describe, expect, it } from 'vitest';
import { FtraceDecoder } from '../../../replay/trace/ftrace.js';
import { KNOWN_EVENTS, LOST_UNKNOWN, TraceNames } from '../../../replay/trace/trace_line.js';
import { bytesOf, readChunks, readLine, readText } from './trace_lines.js';

const SET =
  'xen-balloon-41      [000] .....    87.520279: set_phys_to_machine: (set_phys_to_machine+0x0/0x40) pfn=0xa8fb mfn=0x62000';
const SET_RET =
  'xen-balloon-41      [000] .....    87.520345: __set_phys_to_machine_ret: (set_phys_to_machine+0x14/0x40 <- __set_phys_to_machine) ret=1';

describe('FtraceDecoder', () => {
  it('reads an entry line', () => {
    expect(readLine(`     ${SET}`)).toEqual({
      line: 1,
      byte: 0,
      task: 'xen-balloon',
      pid: 41,
      cpu: 0,
      time: '87.520279',
      event: 'set_phys_to_machine',
      args: { pfn: '0xa8fb', mfn: '0x62000' },
      place: 'set_phys_to_machine+0x0/0x40',
      text: `     ${SET}`,
      unterminated: false,
      call: 0,
      lost: 0,
    });
  });

  it('reads a return line, and knows where it is on the way through the log', () => {
    const [, second] = readText(`${SET}\n${SET_RET}\n`).events;
    expect(second).toMatchObject({
      line: 2,
      byte: SET.length + 1,
      event: '__set_phys_to_machine_ret',
      args: { ret: '0x1' },
      place: 'set_phys_to_machine+0x14/0x40 <- __set_phys_to_machine',
    });
  });

  it('reads numbers as the kernels print them: hexadecimal, decimal, negative', () => {
    const args = (text: string) => readLine(`t-1 [000] ..... 1.0: get_phys_to_machine_ret: (f+0x0/0x4) ${text}`).args;
    expect(args('mfn=0x40000000000fed00')).toEqual({ mfn: '0x40000000000fed00' });
    expect(args('mfn=18446744073709551615')).toEqual({ mfn: '0xffffffffffffffff' });
    expect(args('mfn=9223372036854775807')).toEqual({ mfn: '0x7fffffffffffffff' });
    expect(args('ret=-12')).toEqual({ ret: '0xfffffffffffffff4' });
    expect(args('ret=-0x1')).toEqual({ ret: '0xffffffffffffffff' });
    expect(args('ret=-4294967296')).toEqual({ ret: '0xffffffff00000000' });
    expect(args('mfn=0x0000000000000000062000')).toEqual({ mfn: '0x62000' });
    expect(args('mfn=0xABCDEF0123')).toEqual({ mfn: '0xabcdef0123' });
    expect(args('mfn=0x0 ret=0')).toEqual({ mfn: '0x0', ret: '0x0' });
  });

  it('reads places that hold blanks, brackets and an apostrophe', () => {
    const unknown = "([unknown/kretprobe'd] <- __set_phys_to_machine) ret=1";
    expect(readLine(`gnt-341 [001] ..... 102.218026: __set_phys_to_machine_ret: ${unknown}`)).toMatchObject({
      place: "[unknown/kretprobe'd] <- __set_phys_to_machine",
      args: { ret: '0x1' },
    });
    const module = '(gntdev_map_grant_pages+0x15d/0x3f0 [xen_gntdev] <- set_foreign_p2m_mapping) ret=0';
    expect(readLine(`gnt-379 [000] ..... 131.296799: set_foreign_p2m_mapping_ret: ${module}`)).toMatchObject({
      place: 'gntdev_map_grant_pages+0x15d/0x3f0 [xen_gntdev] <- set_foreign_p2m_mapping',
      args: { ret: '0x0' },
    });
  });

  it('reads every argument that has a key, and passes over the others', () => {
    const map =
      '(set_foreign_p2m_mapping+0x0/0x300) map_ops=0xffff888008090000 kmap_ops=0x0 pages=0xffff888005feac00 count=78';
    expect(readLine(`gnt-379 [000] ..... 131.3: set_foreign_p2m_mapping: ${map}`).args).toEqual({
      map_ops: '0xffff888008090000',
      kmap_ops: '0x0',
      pages: '0xffff888005feac00',
      count: '0x4e',
    });
    const region =
      'xen_create_contiguous_region: (xen_create_contiguous_region+0x0/0x1f0) pstart=0x8b00000 order=5 bits=64';
    expect(readLine(`insmod-254 [000] ..... 81.971935: ${region}`).args).toEqual({
      pstart: '0x8b00000',
      order: '0x5',
      bits: '0x40',
    });
    const caller =
      'pfn=0x4ffb2 caller=gntdev_map+0xb9/0x300 [xen_gntdev] comm="a pfn=0x1 \\" b" mfn=0x8000000000062253 x';
    expect(readLine(`gnt-432 [001] ..... 146.261725: __set_phys_to_machine: (f+0x0/0x180) ${caller}`).args).toEqual({
      pfn: '0x4ffb2',
      mfn: '0x8000000000062253',
    });
  });

  it('leaves out an argument that the probe or the kernel could not tell', () => {
    expect(readLine('t-1 [000] ..... 1.0: set_phys_to_machine: (f+0x0/0x4) pfn=(fault) mfn=0x1').args).toEqual({
      mfn: '0x1',
    });
    const early = 'xen_mmu_set_pte: ptep (____ptrval____) pteval 8000000001025063 (raw 8000000039025063)';
    expect(readLine(`swapper-1 [000] ..... 1.0: ${early}`).args).toEqual({
      entryval: '0x8000000001025063',
      raw: '0x8000000039025063',
    });
  });

  it('reads events that have no argument', () => {
    const init = readLine('gnt-216 [000] ..... 28.999047: p2m_mid_mfn_init: (p2m_mid_mfn_init+0x0/0xe0)');
    expect(init).toMatchObject({ event: 'p2m_mid_mfn_init', args: {}, place: 'p2m_mid_mfn_init+0x0/0xe0' });
  });

  it('reads tracepoints, whose numbers are hexadecimal without 0x', () => {
    const args = (text: string) => readLine(`init-1 [001] ...1. 96.163495: ${text}`).args;
    expect(args('xen_mmu_set_pmd: pmdp 00000000ea9ae47f pmdval 000000000c052067 (raw 0000000063aaa067)')).toEqual({
      entryp: '0xea9ae47f',
      entryval: '0xc052067',
      raw: '0x63aaa067',
    });
    expect(args('xen_mmu_set_p4d: p4dp 1a user_p4dp 2b p4dval 3c (raw 4d)')).toEqual({
      entryp: '0x1a',
      entryval: '0x3c',
      raw: '0x4d',
    });
    expect(args('xen_mmu_alloc_ptpage: mm 000000002055d847  pfn d0e  level 3  pinned')).toEqual({
      mm: '0x2055d847',
      pfn: '0xd0e',
      level: '0x3',
    });
    expect(args('xen_mmu_ptep_modify_prot_start: mm 1 addr 7ffe2000 ptep 2 pteval 3 (raw 4)')).toEqual({
      mm: '0x1',
      addr: '0x7ffe2000',
      entryp: '0x2',
      entryval: '0x3',
      raw: '0x4',
    });
  });

  it.each([
    ['<idle>-0', '<idle>', 0],
    ['kworker/0:1-events-12', 'kworker/0:1-events', 12],
    ['my task: a-b-77', 'my task: a-b', 77],
    ['init [2]-55', 'init [2]', 55],
    ['x-1 [0] y-55', 'x-1 [0] y', 55],
    ['(sd-pam)-4194304', '(sd-pam)', 4194304],
    ['-9', '', 9],
    ['#!-9', '#!', 9],
    ['<...>-1234', '<...>', 1234],
    ['Web Content é-3', 'Web Content é', 3],
  ])('reads the task %s', (head, task, pid) => {
    expect(readLine(`    ${head}      [001] d..2. 3.749525: p2m_mid_mfn_init: (f)`)).toMatchObject({
      task,
      pid,
      cpu: 1,
    });
  });

  it.each([
    ['no flags', '[000] 87.520279:', '87.520279'],
    ['one flag', '[000] . 87.520279:', '87.520279'],
    ['four flags', '[000] d..1 87.520279:', '87.520279'],
    ['five flags', '[000] .N...  87.520279:', '87.520279'],
    ['eight flags', '[000] dNh2.... 87.520279:', '87.520279'],
    ['nanoseconds', '[000] ..... 87.520279123:', '87.520279123'],
    ['a counter', '[000] .N...         1077:', '1077'],
    ['a large counter', '[000] ..... 18446744073709551615:', '18446744073709551615'],
    ['a counter without flags', '[000]         1077:', '1077'],
    ['a hexadecimal counter', '[000] ..... 0x1077:', '4215'],
  ])('reads %s', (_, middle, time) => {
    expect(readLine(`     gnt-272     ${middle} get_phys_to_machine: (f+0x4/0x100) pfn=0x3857f`)).toMatchObject({
      task: 'gnt',
      pid: 272,
      cpu: 0,
      time,
      args: { pfn: '0x3857f' },
    });
  });

  it('reads the thread group that the record-tgid option adds', () => {
    const tgid = (text: string) => readLine(`  bash-1977    ${text} [003] ..... 1.5: p2m_mid_mfn_init: (f)`);
    expect(tgid('(   1976)')).toMatchObject({ task: 'bash', pid: 1977, cpu: 3 });
    expect(tgid('(-------)')).toMatchObject({ task: 'bash', pid: 1977, cpu: 3 });
  });

  it('gives events of other names ids of their own, and does not read their arguments', () => {
    const { events, decoder, reader } = readText(
      'a-1 [000] ..... 1.0: sched_switch: prev_comm=a pfn=zz ==> next_comm=b next_pid=2\n' +
        'a-1 [000] ..... 1.0: sched_switch: prev_comm=b\n',
    );
    expect(events.map(({ event, args }) => ({ event, args }))).toEqual([
      { event: 'sched_switch', args: {} },
      { event: 'sched_switch', args: {} },
    ]);
    expect(reader.eventCount(KNOWN_EVENTS)).toBe(2);
    expect(decoder.names.events.name(KNOWN_EVENTS)).toBe('sched_switch');
  });

  it('takes lines of the function tracer and of stack traces for the events that they are', () => {
    const { events } = readText(
      'a-1 [000] ..... 1.0: xen_alloc_p2m_entry <-set_phys_to_machine\n' +
        'a-1 [000] ..... 1.0: <stack trace>\n => xen_alloc_p2m_entry\n => set_phys_to_machine\n' +
        'a-1 [000] ..... 1.0: <user stack trace>\n => <00007f>\n',
    );
    expect(events.map(({ event }) => event)).toEqual(['function', 'kernel_stack', 'user_stack']);
  });

  it('reports losses, with their number where it is said', () => {
    const { losses, events } = readText(`CPU:1 [LOST 123 EVENTS]\n${SET}\nCPU:0 [LOST EVENTS]\n`);
    expect(losses).toEqual([
      { line: 1, cpu: 1, lost: 123 },
      { line: 3, cpu: 0, lost: LOST_UNKNOWN },
    ]);
    expect(events).toHaveLength(1);
  });

  it('passes over what ftrace itself puts between the events', () => {
    const { events, losses } = readText(
      `# tracer: nop\n##### CPU 1 buffer started ####\n${SET}\n##### CPU 0 buffer started ####\n\n${SET_RET}\n`,
    );
    expect([events.length, losses]).toEqual([2, []]);
  });

  it('takes any 64-bit value', () => {
    const line = 'gnt-1 [000] 1.0: set_phys_to_machine: (f) pfn=0x10000000000000 mfn=18446744073709551615';
    expect(readLine(line).args).toEqual({ pfn: '0x10000000000000', mfn: '0xffffffffffffffff' });
  });

  it('keeps what the header says, and sums the headers of logs put together', () => {
    const header = '# tracer: nop\n#\n# entries-in-buffer/entries-written: 628/630   #P:2\n#\n';
    expect(readText(SET).decoder.summary).toBeUndefined();
    expect(readText(header).decoder.summary).toEqual({ entriesInBuffer: 628, entriesWritten: 630 });
    expect(readText(header + header).decoder.summary).toEqual({ entriesInBuffer: 1256, entriesWritten: 1260 });
  });

  it('takes lines that end in \\r\\n, and empty ones', () => {
    const { events, reader } = readText(`${SET}\r\n\r\n   \n${SET_RET}\r\n`);
    expect(events.map(({ args }) => args)).toEqual([{ pfn: '0xa8fb', mfn: '0x62000' }, { ret: '0x1' }]);
    expect(reader.lines).toBe(4);
  });

  it('shares names with the decoders of other logs', () => {
    const names = new TraceNames();
    readChunks([bytesOf('b-1 [000] 1: other: \n')], new FtraceDecoder(names));
    const { events } = readChunks(
      [bytesOf('a-1 [000] 1: another: \nb-1 [000] 1: other: \n')],
      new FtraceDecoder(names),
    );
    expect(events.map(({ task, event }) => [task, event])).toEqual([
      ['a', 'another'],
      ['b', 'other'],
    ]);
    expect(names.tasks.size).toBe(2);
  });

  it.each([
    ['hello world', 'not a line of ftrace text', 1, '"hello"', 'TASK-PID [CPU] FLAGS TIME: EVENT: ...'],
    [' => kfree', 'not a line of ftrace text', 2, '"=>"', 'TASK-PID [CPU] FLAGS TIME: EVENT: ...'],
    ['gnt [000] ..... 1.0: p2m_mid_mfn_init: (f)', 'not a line of ftrace text', 1, '"gnt"', 'TASK-PID'],
    ['gnt-1 [000] ..... 1.x: p2m_mid_mfn_init: (f)', 'bad time', 19, '"1.x:"', 'seconds such as 87.520279:'],
    ['gnt-1 [000] .....', 'bad time', 18, 'the end of the line', 'seconds such as 87.520279:'],
    ['gnt-1 [000] ......... 1.0: p2m_mid_mfn_init: (f)', 'bad flags', 13, '"........."', 'at most 8 characters'],
    ['gnt-1 [000] ..... 1.0: some words here', 'no event', 24, '"some"', 'an event name and ":"'],
    ['gnt-1 [000] ..... 1.0:', 'no event', 23, 'the end of the line', 'an event name and ":"'],
    ['gnt-1 [000] ..... 1.0: $(rm): x', 'bad event name', 24, '"$(rm):"', 'letters, digits and _'],
    ['a-1 [000] ..... 1.0: set_phys_to_machine: (f+0x0', 'unclosed parenthesis', 43, '"(f+0x0"', '")"'],
    ['a-1 [000] ..... 1.0: set_phys_to_machine: (f) pfn=zz', 'bad value of pfn', 51, '"zz"', 'decimal, or hexadecimal'],
    ['a-1 [000] ..... 1.0: set_phys_to_machine: (f) pfn=', 'bad value of pfn', 51, 'the end of the line', 'decimal'],
    ['a-1 [000] ..... 1.0: set_phys_to_machine: (f) pfn=12ab', 'bad value of pfn', 51, '"12ab"', 'decimal'],
    ['a-1 [000] ..... 1.0: set_phys_to_machine: (f) pfn=0x', 'bad value of pfn', 51, '"0x"', 'decimal'],
    [
      'a-1 [000] ..... 1.0: set_phys_to_machine: (f) pfn=0x10000000000000000',
      'bad value of pfn',
      51,
      '"0x10000000000000000"',
      'below 2^64',
    ],
    [
      'a-1 [000] ..... 1.0: set_phys_to_machine: (f) pfn=18446744073709551616',
      'bad value of pfn',
      51,
      '"18446744073709551616"',
      'below 2^64',
    ],
    ['a-1 [000] ..... 1.0: xen_mmu_set_pte: ptep xyz', 'bad value of entryp', 44, '"xyz"', 'hexadecimal below 2^64'],
    ['# entries-in-buffer/entries-written: many', 'bad header', 1, '"#"', 'entries-in-buffer/entries-written: N/N'],
    ['# entries-in-buffer/entries-written: 3/2   #P:2', 'bad header', 1, '"#"', 'at most as many entries'],
  ])('refuses %j', (text, what, column, got, expected) => {
    expect(() => readText(`${SET}\n${text}\n`)).toThrow(
      expect.objectContaining({
        code: 'bad-input',
        exitCode: 3,
        message: expect.stringContaining(
          `trace.txt:2:${column}:byte ${SET.length + column}: ${what}: got ${got}`,
        ) as string,
        complaint: expect.objectContaining({
          file: 'trace.txt',
          line: 2,
          column,
          byte: SET.length + column,
          text,
          got,
          expected: expect.stringContaining(expected) as string,
        }) as object,
      }) as Error,
    );
  });
});

import { describe, expect, it } from 'vitest';
import { EarlyBootDecoder } from '../../../replay/trace/early_boot.js';
import { bytesOf, complaintOf, countsOf, readLog, sample, type Seen } from './trace_lines.js';

function readText(text: string): Seen<EarlyBootDecoder> {
  return readLog([bytesOf(text)], new EarlyBootDecoder(), 'calls.txt');
}

describe('EarlyBootDecoder', () => {
  it('reads a call: its number is its time too, and there is no task', () => {
    const { events } = readText(
      '1 cpu0 xen_build_dynamic_phys_to_machine: caller=0xffffffff8308381a \n' +
        '2 cpu1 set_phys_to_machine: caller=0xffffffff83082262 pfn=0x20000 mfn=0xffffffffffffffff\n',
    );
    expect(events[0]).toMatchObject({ call: 1, cpu: 0, event: 'xen_build_dynamic_phys_to_machine', args: {} });
    expect(events[1]).toMatchObject({
      line: 2,
      call: 2,
      lost: 0,
      cpu: 1,
      pid: 0,
      task: '',
      time: '2',
      event: 'set_phys_to_machine',
      args: { pfn: '0x20000', mfn: '0xffffffffffffffff' },
      place: '',
    });
  });

  it('reads a real log, with what its comment tells', () => {
    const seen = readLog([sample('early-boot-calls.txt')], new EarlyBootDecoder());
    expect(countsOf(seen)).toEqual({
      xen_build_dynamic_phys_to_machine: 1,
      set_phys_range_identity: 3,
      xen_vmalloc_p2m_tree: 1,
      set_phys_to_machine: 56,
      __set_phys_to_machine: 57,
      xen_alloc_p2m_entry: 1,
    });
    expect(seen.events[2]!.args).toEqual({ pfn_s: '0x9f', pfn_e: '0x100' });
    expect(seen.notes).toEqual([
      { line: 6, args: { xen_p2m_addr: '0x8000000000', xen_p2m_size: '0x20000', xen_max_p2m_pfn: '0x20461' } },
    ]);
    expect([seen.losses, seen.decoder.summary]).toEqual([[], undefined]);
  });

  it('tells a gap in the numbers as a loss before the call, also before the first', () => {
    const { events, losses } = readText(
      '4 cpu0 p2m_mid_mfn_init: \n5 cpu0 p2m_mid_mfn_init: \n7 cpu1 p2m_mid_mfn_init: \n',
    );
    expect(losses).toEqual([
      { line: 1, cpu: 0, lost: 3 },
      { line: 3, cpu: 1, lost: 1 },
    ]);
    expect(events.map(({ call, lost }) => [call, lost])).toEqual([
      [4, 3],
      [5, 0],
      [7, 1],
    ]);
  });

  it('tells every comment, with those of its variables that can be read', () => {
    const { notes } = readText(
      '# by hand\n# xen_p2m_size=many xen_max_p2m_pfn=132193 pfn=0x1\n# axen_p2m_addr=0x1 xen_p2m_addr=0x10000000000000000\n',
    );
    expect(notes).toEqual([
      { line: 1, args: {} },
      { line: 2, args: { xen_max_p2m_pfn: '0x20461' } },
      { line: 3, args: {} },
    ]);
  });

  it('takes empty lines and lines that end in \\r\\n', () => {
    expect(readText('1 cpu0 p2m_mid_mfn_init: \r\n\r\n \n2 cpu0 p2m_mid_mfn_init:\r\n').events).toHaveLength(2);
  });

  it('keeps a call with more digits than a double apart from its neighbours', () => {
    const { events } = readText('9007199254740990 cpu0 p2m_mid_mfn_init: \n9007199254740991 cpu0 p2m_mid_mfn_init: \n');
    expect(events.map(({ time }) => time)).toEqual(['9007199254740990', '9007199254740991']);
    expect(events[1]!.lost).toBe(0);
  });

  it.each([
    ['2 cpu0 p2m_mid_mfn_init: ', 1, 'call number out of order', '"2"', 'a number above 2, that of the call before'],
    ['1 cpu0 p2m_mid_mfn_init: ', 1, 'call number out of order', '"1"', 'above 2'],
    ['9007199254740992 cpu0 f: ', 1, 'bad call number', '"9007199254740992"', 'below 2^53'],
    ['99999999999999999999 cpu0 f: ', 1, 'bad call number', '"99999999999999999999"', 'below 2^53'],
    ['3 gpu0 f: ', 3, 'bad CPU', '"gpu0"', 'cpu0, cpu1'],
    ['3 cpu f: ', 3, 'bad CPU', '"cpu"', 'cpu0, cpu1'],
    ['3 cpu0', 3, 'bad CPU', '"cpu0"', 'cpu0, cpu1'],
    ['3', 2, 'bad CPU', 'the end of the line', 'cpu0, cpu1'],
    ['3 cpu0 set_phys_to_machine', 8, 'no function', '"set_phys_to_machine"', 'a name and ":"'],
    ['3 cpu0 set_phys_to_machine: pfn=0xzz', 33, 'bad value of pfn', '"0xzz"', 'decimal, or hexadecimal'],
    ['three cpu0 f: ', 1, 'not a line of an early-boot call log', '"three"', 'NUMBER cpuN FUNCTION: ARGUMENTS'],
  ])('refuses %j', (text, column, what, got, expected) => {
    const complaint = complaintOf(() => readText(`1 cpu0 p2m_mid_mfn_init: \n2 cpu0 p2m_mid_mfn_init: \n${text}\n`));
    expect(complaint).toMatchObject({ file: 'calls.txt', line: 3, column, text });
    expect(complaint.message).toContain(`${what}: got ${got}`);
    expect(complaint.expected).toContain(expected);
  });
});

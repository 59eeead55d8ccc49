import { describe, expect, it } from 'vitest';
import { mfnWord, P2mError } from '../../events/index.js';
import { bootEngine, type Command, type Engine, type Outcome } from '../../src/library.js';

function engine(kernel = '6.1'): Engine {
  return bootEngine({ kernel, geometry: 'tiny', nrPages: 48, extra: [{ pfnStart: 48, pfnEnd: 64 }], m2pFrames: 2000 });
}

function shown(e: Engine, outcome: Outcome): unknown {
  if (outcome.kind === 'bug' || outcome.kind === 'fault') return outcome;
  if (outcome.kind === 'void') return 'void';
  if (outcome.kind === 'bool') return outcome.value !== 0;
  return outcome.kind === 'word' ? e.codec.format(outcome.value) : outcome.value;
}

describe('a command', () => {
  it.each<[Command, unknown]>([
    [{ operation: 'set_phys_to_machine', pfn: 50, value: 'm:77' }, true],
    [{ operation: '__set_phys_to_machine', pfn: 3, value: '0x4d' }, true],
    [{ operation: '__set_phys_to_machine', pfn: 2 ** 31, value: mfnWord(77) }, false],
    [{ operation: 'xen_alloc_p2m_entry', pfn: 50 }, 0],
    [{ operation: '__pfn_to_mfn', pfn: 3 }, 'm:1003'],
    [{ operation: 'pfn_to_mfn', pfn: 3 }, 'm:1003'],
    [{ operation: 'get_phys_to_machine', pfn: 2 ** 33 }, `i:${2 ** 33}`],
    [{ operation: 'set_phys_range_identity', pfnStart: 4, pfnEnd: 6 }, 2],
    [{ operation: 'decrease_reservation', pfnStart: 4, pfnEnd: 6 }, 'void'],
    [{ operation: 'increase_reservation', pfnStart: 50, pfnEnd: 52, value: 'm:1500' }, 'void'],
    [{ operation: 'set_foreign_p2m_mapping', slots: [{ pfn: 50, mfn: 9 }] }, 0],
    [{ operation: 'clear_foreign_p2m_mapping', pfns: [3] }, -22],
    [{ operation: 'xen_arch_pre_suspend' }, 'void'],
    [{ operation: 'xen_arch_post_suspend' }, 'void'],
    [{ operation: 'look_up', pfn: 3 }, 'm:1003'],
  ])('%j runs its kernel function', (command, expected) => {
    const e = engine();
    expect(shown(e, e.executeNow(command))).toEqual(expected);
  });

  it('balloons a range, its frames counted up from the first', () => {
    const e = engine();
    e.executeNow([
      { operation: 'decrease_reservation', pfnStart: 4, pfnEnd: 7 },
      { operation: 'increase_reservation', pfnStart: 5, pfnEnd: 7, value: 'm:1500' },
    ]);
    expect([3, 4, 5, 6, 7].map((pfn) => e.entryOf(pfn))).toEqual(['m:1003', '~', 'm:1500', 'm:1501', 'm:1007']);
    expect(e.executeNow({ operation: 'mfn_to_pfn', mfn: 1501 })).toEqual({ kind: 'count', value: 6 });
  });

  it('maps grants and unmaps them', () => {
    const e = engine();
    const slots = [
      { pfn: 50, mfn: 9 },
      { pfn: 51, mfn: 10, status: -1 },
    ];
    e.executeNow({ operation: 'set_foreign_p2m_mapping', slots });
    expect([50, 51].map((pfn) => e.entryOf(pfn))).toEqual(['f:9', '~']);
    e.executeNow({ operation: 'clear_foreign_p2m_mapping', pfns: [50] });
    expect(e.entryOf(50)).toBe('~');
  });

  it('runs on the CPU that it names', () => {
    const e = bootEngine({ geometry: 'tiny', nrPages: 32, cpus: 2 });
    e.executeNow({ operation: 'look_up', pfn: 3, cpu: 1 });
    expect(e.domain.batch.cpu[e.domain.batch.length - 1]).toBe(1);
  });

  it.each<[object, string]>([
    [{ operation: 'set_phys_to_machine', pfn: 1.5, value: '~' }, 'bad pfn of set_phys_to_machine: got 1.5'],
    [{ operation: 'look_up', pfn: 2 ** 52 }, 'bad pfn of look_up: got 4503599627370496'],
    [{ operation: 'look_up' }, 'bad pfn of look_up: got undefined'],
    [{ operation: 'look_up', pfn: 0, cpu: 1 }, 'bad cpu of look_up: got 1, want a whole number below 1'],
    [{ operation: 'set_phys_to_machine', pfn: 1, value: 'x' }, 'bad value: got "x", want ~, m:N, i:N, f:N or fi:N'],
    [{ operation: 'set_phys_to_machine', pfn: 1, value: '0xzz' }, 'bad raw entry: got "0xzz"'],
    [{ operation: 'set_phys_to_machine', pfn: 1, value: 77 }, 'bad value of set_phys_to_machine: got 77, want text'],
    [{ operation: 'set_phys_to_machine', pfn: 1 }, 'bad value of set_phys_to_machine: got undefined'],
    [{ operation: 'decrease_reservation', pfnStart: 4, pfnEnd: 4 }, 'bad pfnStart of decrease_reservation: got 4'],
    [{ operation: 'set_foreign_p2m_mapping', slots: [] }, 'bad number of slots of set_foreign_p2m_mapping: got 0'],
    [{ operation: 'set_foreign_p2m_mapping', slots: [{ pfn: 1, mfn: 2 ** 30 }] }, 'bad mfn of set_foreign'],
    [{ operation: 'set_foreign_p2m_mapping', slots: [{ pfn: 1, mfn: 1, status: 0.5 }] }, 'bad status of set_foreign'],
    [{ operation: 'clear_foreign_p2m_mapping', pfns: [-1] }, 'bad pfn of clear_foreign_p2m_mapping: got -1'],
    [{ operation: 'reboot' }, 'unknown operation: got "reboot", want set_phys_to_machine, '],
  ])('%j is refused', (command, message) => {
    const e = engine();
    const run = (): unknown => e.executeNow(command as Command);
    expect(run).toThrow(P2mError);
    expect(run).toThrow(message);
  });
});

import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { Global, mfnWord } from '../../events/index.js';
import {
  Domain,
  formByKernel,
  GEOMETRIES,
  LIST_AREA,
  LIST_BUILDER,
  lookUp,
  mutant,
  structure,
  SWITCHES,
  type Cpu,
  type Form,
  type Outcome,
  type Switch,
} from '../../src/index.js';
import { bootedDomain, FIRST_MFN, type BootOptions } from './domains.js';
import { live } from './histories.js';

/**
 * What a switch is for, as the difference of two forms that differ in nothing else: what happens `on`, what `off`. The
 * switches of the grants and of the old tree are tested beside their machines.
 */
interface Difference {
  /** A form that is right or wrong in just this; whether it has the switch on or off does not matter. */
  readonly kernel: string;
  readonly happens: (form: Form) => unknown;
  readonly on: unknown;
  readonly off: unknown;
}

const DIFFERENCES: Partial<Record<Switch, Difference>> = {
  sharedLeavesReadOnly: {
    kernel: '7.0',
    // Plain stores of boot into a shared leaf: they fault, or write to all pfns of the same index in missing leaves.
    happens(form) {
      const d = tiny(form, { holes: [[8, 16]] });
      const stored = d.run('set_phys_range_identity', d.machines.setPhysRangeIdentity, 8, 0, 9);
      return [stored.kind, shown(d, 8), shown(d, 12), structure(d.memory).sharedIntact];
    },
    on: ['fault', '~', '~', true],
    off: ['count', 'i:8', 'i:8', false],
  },
  mfnTreeFromPte: {
    kernel: '7.0',
    happens: (form) => structure(tiny(form, {}).memory).mids!['mid#0'],
    on: [[0, 4, 'leaf#0']],
    off: [[0, 4, 'none']],
  },
  secondPmdPopulated: {
    kernel: '3.19',
    // A mid page of 16 pfns, all missing, has two PMDs of 8.
    happens(form) {
      const d = bootedDomain({ kernel: form, geometry: 'tiny-pae', nrPages: 48, holes: [[16, 32]], tree: false });
      return [lookup(d, 16), lookup(d, 24), set(d, 24, 'm:7')];
    },
    on: ['~', '~', 'true'],
    off: ['~', 'fault', 'unmapped-entry'],
  },
  pmdLoserWalksAgain: {
    kernel: '3.19',
    // B3: between CPU 1's walk (A2) and its lock (P3.4) CPU 0 links its own PT page.
    happens(form) {
      const d = tiny(form, { holes: [[16, 48]], cpus: 2 });
      beginSet(d, 1, 20, 'm:7');
      stepTo(d.cpus[1]!, 'alloc_p2m_pmd', 'P1');
      const winner = set(d, 16, 'm:6');
      d.cpus[1]!.run();
      const loser = answer(d.end('set_phys_to_machine', 1));
      return {
        winner,
        loser,
        values: [16, 20, 36].map((pfn) => shown(d, pfn)),
        sharedIntact: structure(d.memory).sharedIntact,
      };
    },
    on: { winner: 'true', loser: 'true', values: ['m:6', 'm:7', '~'], sharedIntact: true },
    // CPU 1's leaf stands in the PT page that all missing mid pages share, and not in CPU 0's.
    off: { winner: 'true', loser: 'false', values: ['m:6', '~', '~'], sharedIntact: false },
  },
  identityBaseMasked: {
    kernel: '3.19.8',
    happens(form) {
      const d = tiny(form, { identity: [[16, 20]] });
      return [set(d, 18, 'm:5'), ...[16, 17, 18, 19].map((pfn) => lookup(d, pfn))];
    },
    on: ['true', 'i:16', 'i:17', 'm:5', 'i:19'],
    off: ['true', 'i:18', 'i:19', 'm:5', 'i:21'],
  },
  earlyFree: {
    kernel: '3.19-rc1',
    // With B2 a mid page's second PMD is empty, so that its PT page is freed again: here by xen_inv_extra_mem, at boot.
    happens(form) {
      const { domain, outcomes } = live(
        {
          kernel: form.name,
          geometry: 'tiny-pae',
          nrPages: 16,
          garbage: '~',
          holes: [],
          early: [],
          identity: [],
          extra: [[18, 20]],
          limit: 0,
          flags: 0,
          tree: false,
          freesList: false,
          rebuilds: true,
          ops: [],
        },
        'paged',
        form,
      );
      return [...outcomes.map(answer), shown(domain, 18), shown(domain, 19)];
    },
    // build, vmalloc, setup of shared info; extra memory is missing only where the boot could end.
    on: ['void', 'void', 'void', '~', '~'],
    off: ['void', 'early-free', 'void', 'i:18', 'i:19'],
  },
  p2mLimit: {
    kernel: '3.19.8',
    happens(form) {
      const d = tiny(form, { nrPages: 16, p2mLimitPfns: 32 });
      return [d.global(Global.xen_p2m_size), set(d, 30, 'm:7'), lookup(d, 30)];
    },
    on: [32, 'true', 'm:7'],
    off: [16, 'beyond-size', 'i:30'],
  },
  listForTools: {
    kernel: '4.3',
    happens(form) {
      const d = tiny(form, { nrPages: 20, holes: [[8, 12]] });
      const { memory } = tiny(form, { flags: 64 });
      set(d, 25, 'm:7');
      return {
        told: [d.global(Global['shared_info.p2m_vaddr']), d.global(Global['shared_info.p2m_cr3']) !== 0],
        maxPfn: d.global(Global['shared_info.max_pfn']),
        generation: d.global(Global['shared_info.p2m_generation']),
        treeBesideVirtualList: memory.words[Global.p2m_top_mfn] !== 0,
      };
    },
    // The tools are told of 32 pfns, all of the area; with a list for them only of what has a leaf (and B10).
    on: { told: [LIST_AREA, true], maxPfn: 25, generation: 2, treeBesideVirtualList: false },
    off: { told: [0, false], maxPfn: 32, generation: 0, treeBesideVirtualList: true },
  },
  pfnAboveMax: {
    kernel: '4.3',
    // MAX_P2M_PFN of tiny is 64.
    happens(form) {
      const d = tiny(form, { nrPages: 80, holes: [[64, 72]] });
      return [set(d, 64, 'm:7'), lookup(d, 64)];
    },
    on: ['true', 'm:7'],
    off: ['pfn-above-max', '~'],
  },
  lastPfnAligned: {
    kernel: '5.17',
    happens(form) {
      const d = tiny(form, { nrPages: 20 });
      set(d, 20, 'm:7');
      const atLast = d.global(Global.xen_p2m_last_pfn);
      set(d, 25, 'm:7');
      return [atLast, d.global(Global.xen_p2m_last_pfn), d.global(Global['shared_info.max_pfn'])];
    },
    on: [24, 28, 28],
    off: [20, 25, 25],
  },
  outOfRangeIsFalse: {
    kernel: '5.12',
    happens(form) {
      const d = tiny(form, { nrPages: 16 });
      return ['m:7', '~'].map((value) => rawSet(d, 16, value));
    },
    on: ['false', 'true'],
    off: ['beyond-size', 'true'],
  },
  autoTranslatedChecks: {
    kernel: '4.4',
    // Nothing has a p2m in an auto-translated domain: each operation of boot returns at once.
    happens(form) {
      const d = new Domain({ form, geometry: GEOMETRIES.tiny, nrPages: 16 });
      const { machines } = d;
      d.setGlobal(Global.auto_translated, 1);
      d.boot(16, [[16, mfnWord(FIRST_MFN), 1]]);
      const size = d.global(Global.xen_p2m_size);
      d.setGlobal(Global.auto_translated, 0);
      d.run('xen_build_dynamic_phys_to_machine', machines.xenBuildDynamicPhysToMachine, 0);
      d.setGlobal(Global.auto_translated, 1);
      d.run('set_phys_range_identity', machines.setPhysRangeIdentity, 4, 0, 8);
      const value = shown(d, 4);
      d.run('xen_pagetable_p2m_setup', machines.xenPagetableP2mSetup, 0);
      const list = d.global(Global.xen_p2m_addr);
      d.run('xen_build_mfn_list_list', machines.xenBuildMfnListList, 0);
      return { size, value, list, tree: d.global(Global.p2m_top_mfn) !== 0 };
    },
    on: { size: 0, value: `m:${FIRST_MFN + 4}`, list: LIST_BUILDER, tree: false },
    off: { size: 16, value: 'i:4', list: LIST_AREA, tree: true },
  },
  has32bit: {
    kernel: '5.10',
    happens(form) {
      try {
        return new Domain({ form, geometry: GEOMETRIES.x86_32, nrPages: 1, sparePages: 0 }).geometry.name;
      } catch (error) {
        return error instanceof Error ? error.message.split(':')[0] : error;
      }
    },
    on: 'x86_32',
    off: 'this kernel has no 32-bit PV',
  },
};

describe.each(Object.entries(DIFFERENCES) as [Switch, Difference][])('%s', (name, { kernel, happens, on, off }) => {
  const form = formByKernel(kernel);

  it(`makes the difference that is known in ${kernel}`, () => {
    expect(happens(form)).toEqual(form[name] ? on : off);
    expect(happens(mutant(form, name))).toEqual(form[name] ? off : on);
  });

  it('has two sides', () => {
    expect(on).not.toEqual(off);
  });
});

describe('SWITCHES', () => {
  it('each have a test in which a form with only this switch flipped behaves otherwise', () => {
    const folder = fileURLToPath(new URL('.', import.meta.url));
    const texts = readdirSync(folder)
      .filter((name) => name.endsWith('.test.ts'))
      .map((name) => readFileSync(folder + name, 'utf8'));
    const tested = (name: Switch): boolean =>
      name in DIFFERENCES || texts.some((text) => new RegExp(`mutant\\([^;]*'${name}'\\)`).test(text));
    expect(SWITCHES.filter((name) => !tested(name))).toEqual([]);
  });
});

function tiny(form: Form, options: Partial<BootOptions>): Domain {
  return bootedDomain({ kernel: form, geometry: 'tiny', nrPages: 48, ...options });
}

function set(d: Domain, pfn: number, value: string): string {
  return answer(d.run('set_phys_to_machine', d.machines.setPhysToMachine, pfn, d.memory.codec.parse(value)));
}

function rawSet(d: Domain, pfn: number, value: string): string {
  return answer(d.run('__set_phys_to_machine', d.machines.setPhysToMachineNoAlloc, pfn, d.memory.codec.parse(value)));
}

function beginSet(d: Domain, cpu: number, pfn: number, value: string): void {
  d.begin('set_phys_to_machine', d.machines.setPhysToMachine, pfn, d.memory.codec.parse(value), 0, cpu);
}

/** Steps the CPU until the row of this label is next. */
function stepTo(cpu: Cpu, machine: string, label: string): void {
  while (cpu.top.machine.name !== machine || cpu.row.label !== label) cpu.step();
}

/** The look-up by the step machine. */
function lookup(d: Domain, pfn: number): string {
  const outcome = d.run('__pfn_to_mfn', d.machines.pfnToMfnRaw, pfn);
  return outcome.kind === 'word' ? d.memory.codec.format(outcome.value) : answer(outcome);
}

/** The look-up as one atomic act. */
function shown(d: Domain, pfn: number): string {
  return d.memory.codec.format(lookUp(d.memory, pfn));
}

function answer(outcome: Outcome): string {
  switch (outcome.kind) {
    case 'bug':
      return outcome.bug;
    case 'fault':
    case 'void':
      return outcome.kind;
    case 'bool':
      return String(outcome.value !== 0);
    default:
      return String(outcome.value);
  }
}

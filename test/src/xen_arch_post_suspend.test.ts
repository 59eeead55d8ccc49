import { describe, expect, it } from 'vitest';
import { Global, INVALID, mfnWord, Role } from '../../events/index.js';
import { FORMS, formByKernel, mutant, type Domain } from '../../src/index.js';
import { bootedDomain } from './domains.js';
import { leafOf, leavesOf, read, stepTo } from './leaves.js';

const LINEAR_FORMS = FORMS.filter((form) => form.structure === 'linear');
const MAX_PFN = Global['shared_info.max_pfn'];
const GENERATION = Global['shared_info.p2m_generation'];

/** On the last CPU: the others are parked wherever they are. */
function suspend(d: Domain): void {
  const cpu = d.cpus.length - 1;
  expect(d.run('xen_arch_pre_suspend', d.machines.xenArchPreSuspend, 0, 0, 0, cpu).kind).toBe('void');
}

function resume(d: Domain): void {
  const cpu = d.cpus.length - 1;
  expect(d.run('xen_arch_post_suspend', d.machines.xenArchPostSuspend, 0, 0, 0, cpu).kind).toBe('void');
}

describe('xen_arch_pre_suspend', () => {
  it('takes shared info away: what tells the tools about the list is a bug until the resume', () => {
    const d = bootedDomain({ kernel: '7.0', geometry: 'tiny', nrPages: 64 });
    suspend(d);
    expect(d.global(Global.HYPERVISOR_shared_info)).toBe(0);
    expect(d.run('xen_setup_mfn_list_list', d.machines.xenSetupMfnListList, 0)).toEqual({
      kind: 'bug',
      bug: 'dummy-shared-info',
    });
    resume(d);
    expect(d.global(Global.HYPERVISOR_shared_info)).toBe(1);
  });

  it.each(['paged', 'flat'] as const)('keeps a max_pfn written in between from the real page (A7.4, %s)', (memory) => {
    const d = bootedDomain({ kernel: '7.0', geometry: 'tiny', nrPages: 32, p2mLimitPfns: 64, memory, cpus: 2 });
    const writer = d.cpus[0]!;
    d.begin('set_phys_to_machine', d.machines.setPhysToMachine, 41, mfnWord(7));
    stepTo(writer, 'A7.4');
    suspend(d);
    writer.step();
    expect([d.global(MAX_PFN), d.global(Global['dummy.max_pfn'])]).toEqual([32, 44]);
    writer.run();
    expect(d.end('set_phys_to_machine')).toEqual({ kind: 'bool', value: 1 });
    resume(d);
    expect(d.global(MAX_PFN), 'the resume takes it from xen_p2m_last_pfn').toBe(44);
  });

  it('keeps a generation written in between from the real page', () => {
    const d = bootedDomain({ kernel: '7.0', geometry: 'tiny', nrPages: 64, holes: [[16, 32]], cpus: 2 });
    d.begin('set_phys_to_machine', d.machines.setPhysToMachine, 17, mfnWord(7));
    stepTo(d.cpus[0]!, 'A6.3');
    expect(d.global(GENERATION), 'the PMD is linked').toBe(2);
    suspend(d);
    d.cpus[0]!.run();
    expect([d.global(GENERATION), d.global(Global['dummy.p2m_generation'])]).toEqual([2, 2]);
  });
});

describe.each(['paged', 'flat'] as const)('xen_arch_post_suspend on the %s memory', (memory) => {
  it.each(LINEAR_FORMS)('tells the tools anew how long the list is in $name', (form) => {
    const told = (tried: typeof form): number[] => {
      const d = bootedDomain({ kernel: tried, geometry: 'tiny', nrPages: 32, p2mLimitPfns: 64, memory });
      d.setGlobal(MAX_PFN, 1);
      d.setGlobal(GENERATION, 9);
      suspend(d);
      resume(d);
      return [d.global(MAX_PFN), d.global(GENERATION)];
    };
    // With the limit, the list is longer than the domain; only xen_p2m_last_pfn knows how long that is (B9).
    const area = form.p2mLimit ? 64 : 32;
    expect(told(form)).toEqual(form.listForTools ? [32, 0] : [area, 9]);
    expect(told(mutant(form, 'listForTools'))).toEqual(form.listForTools ? [area, 9] : [32, 0]);
  });

  it.each(LINEAR_FORMS.filter((form) => form.mfnTreeFromPte))('fills the mid pages again in $name', (form) => {
    const d = bootedDomain({
      kernel: form,
      geometry: 'tiny',
      nrPages: 64,
      holes: [
        [20, 24],
        [32, 48],
      ],
      memory,
    });
    const { port } = d.cpus[0]!;
    const middle = port.loadTopMfn(1);
    suspend(d);
    for (let i = 0; i < 4; i++) port.setMidMfn(middle, i, 0);
    port.fillFrame(d.global(Global.p2m_mid_missing_mfn), 0);
    port.setTopMfn(2, 0);
    resume(d);
    const missing = d.global(Global.p2m_missing);
    expect([0, 1, 2, 3].map((i) => port.loadMid(middle, i))).toEqual([16, 20, 24, 28].map((pfn) => leafOf(d, pfn)));
    expect(port.loadTopMfn(2)).toBe(d.global(Global.p2m_mid_missing_mfn));
    expect(port.loadMid(port.loadTopMfn(2), 3)).toBe(missing);
    expect(read(d, 'read_mfn_tree')).toEqual({ count: 16, leaves: leavesOf(d, 16) });
  });

  it('allocates the mid page that an allocation did not get', () => {
    const d = bootedDomain({ kernel: '7.0', geometry: 'tiny', nrPages: 64, holes: [[16, 32]], memory });
    const { port } = d.cpus[0]!;
    d.armFailure(2, 0); // the PT page is had, the mid page not
    expect(d.run('set_phys_to_machine', d.machines.setPhysToMachine, 17, mfnWord(7))).toEqual({
      kind: 'bool',
      value: 0,
    });
    expect(port.loadTopMfn(1)).toBe(d.global(Global.p2m_mid_missing_mfn));
    suspend(d);
    resume(d);
    const mid = port.loadTopMfn(1);
    expect(d.memory.role(mid)).toBe(Role.mid);
    expect(port.loadTopMfnP(1)).toBe(mid);
    expect(read(d, 'read_mfn_tree').leaves).toEqual(leavesOf(d, 16));
  });

  it('dies where that page cannot be had', () => {
    const d = bootedDomain({ kernel: '7.0', geometry: 'tiny', nrPages: 64, holes: [[16, 32]], memory });
    d.armFailure(0, 2);
    d.run('set_phys_to_machine', d.machines.setPhysToMachine, 17, mfnWord(7));
    suspend(d);
    expect(d.run('xen_arch_post_suspend', d.machines.xenArchPostSuspend, 0)).toEqual({ kind: 'bug', bug: 'null-page' });
  });

  it('has no tree to fill with SIF_VIRT_P2M_4TOOLS', () => {
    const d = bootedDomain({ kernel: '7.0', geometry: 'tiny', nrPages: 64, memory, flags: 64 });
    suspend(d);
    resume(d);
    expect(d.global(Global.p2m_top_mfn)).toBe(0);
    expect(d.global(Global['shared_info.pfn_to_mfn_frame_list_list'])).toBe(-1);
    expect(read(d, 'read_p2m_cr3').count).toBe(16);
  });

  it('changes no entry and no page table of the list', () => {
    const d = bootedDomain({
      kernel: '7.0',
      geometry: 'tiny',
      nrPages: 64,
      holes: [[16, 32]],
      identity: [[40, 44]],
      memory,
    });
    const before = leavesOf(d, 16);
    const entries = Array.from({ length: 64 }, (_, pfn) => d.memory.loadEntry(pfn));
    suspend(d);
    resume(d);
    expect(leavesOf(d, 16)).toEqual(before);
    expect(Array.from({ length: 64 }, (_, pfn) => d.memory.loadEntry(pfn))).toEqual(entries);
    expect(entries[20]).toBe(INVALID);
  });
});

describe('a task that a suspend finds in the middle of alloc_p2m', () => {
  it('loses its max_pfn when it goes on with what it read before (A7.3, A7.4)', () => {
    const d = bootedDomain({ kernel: formByKernel('7.0'), geometry: 'tiny', nrPages: 32, p2mLimitPfns: 64, cpus: 3 });
    const [first, second] = [d.cpus[0]!, d.cpus[1]!];
    d.begin('set_phys_to_machine', d.machines.setPhysToMachine, 41, mfnWord(7), 0, 0);
    stepTo(first, 'A7.4');
    d.begin('set_phys_to_machine', d.machines.setPhysToMachine, 57, mfnWord(8), 0, 1);
    stepTo(second, 'A7.3');
    suspend(d);
    resume(d);
    expect(d.global(MAX_PFN), 'xen_p2m_last_pfn of the second').toBe(60);
    first.run();
    expect(d.global(MAX_PFN), 'what the first had read').toBe(44);
    second.run();
    expect(d.global(MAX_PFN)).toBe(60);
  });
});

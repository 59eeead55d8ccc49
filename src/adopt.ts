import { assert, Global, INVALID, Role } from '../events/index.js';
import type { Domain } from './domain.js';
import { LIST_AREA } from './memory/memory.js';
import { makePte, NO_PAGE, NO_PTE, ptePage } from './memory/pte.js';
import type { ModelPort } from './model_port.js';

const MISSING = Global.p2m_missing;
const IDENTITY = Global.p2m_identity;

/** Leaves that are alike, for the pfns [pfnStart, pfnEnd): what their page is, and the PT page that maps them. */
export interface LeafRun {
  readonly pfnStart: number;
  readonly pfnEnd: number;
  readonly leaf: 'own' | 'missing' | 'identity';
  readonly ptPage: 'own' | 'missing' | 'identity';
}

/** A linear list as a running kernel had it. */
export interface ListState {
  /** xen_p2m_size = xen_max_p2m_pfn; the runs cover [0, size). */
  readonly size: number;
  readonly lastPfn: number;
  readonly leaves: readonly LeafRun[];
  /** The words of [0, entries.length); private leaves above hold INVALID, for nothing is known of them. */
  readonly entries: Int32Array;
  /** Whether the kernel has a tree for the tools. */
  readonly mfnTree: boolean;
}

/**
 * Makes the list of an empty domain the one of a running kernel, by events like any other: the shared pages, the page
 * tables, the private leaves with their words; then the tools' tree, built by the kernel's own code, and shared info.
 */
export function adoptList(domain: Domain, port: ModelPort, state: ListState): void {
  const { geometry: g } = domain;
  assert(domain.global(Global.xen_p2m_addr) === 0, 'the domain has a list already');
  adoptSharedPages(domain, port);
  domain.setGlobal(Global.xen_p2m_addr, LIST_AREA);
  domain.setGlobal(Global.xen_p2m_size, state.size);
  domain.setGlobal(Global.xen_max_p2m_pfn, state.size);
  for (const run of state.leaves) {
    if (run.ptPage !== 'own') {
      const shared = port.global(run.ptPage === 'missing' ? Global.p2m_missing_pte : Global.p2m_identity_pte);
      for (let pfn = run.pfnStart; pfn < run.pfnEnd; pfn += g.pfnsPerPtePage) port.setPmd(pfn, makePte(shared, true));
      continue;
    }
    for (let pfn = run.pfnStart; pfn < run.pfnEnd; pfn += g.perPage) {
      if (port.areaPtPage(pfn) === NO_PAGE) port.populatePmd(pfn);
      if (run.leaf === 'own') adoptLeaf(domain, port, state, pfn);
      else {
        const shared = port.global(run.leaf === 'missing' ? MISSING : IDENTITY);
        port.setPte(port.areaPtPage(pfn), pfn, makePte(shared, !domain.form.sharedLeavesReadOnly));
      }
      if (domain.batch.length > 4096) domain.flush();
    }
  }
  if (state.mfnTree) domain.run('xen_build_mfn_list_list', domain.machines.xenBuildMfnListList, 0);
  domain.setGlobal(Global.xen_p2m_last_pfn, state.lastPfn);
  domain.setGlobal(Global.HYPERVISOR_shared_info, 1);
  if (state.mfnTree) domain.run('xen_setup_mfn_list_list', domain.machines.xenSetupMfnListList, 0);
  domain.slabUp();
  domain.flush();
}

/** The four pages that uniform parts of the list share (spec 4.6, steps 1 to 5). */
function adoptSharedPages(domain: Domain, port: ModelPort): void {
  const take = (role: number, global: number): number => {
    const page = port.allocPage(role);
    assert(page !== NO_PAGE, 'no allocation fails before the slab allocator is up');
    domain.setGlobal(global, page);
    return page;
  };
  const missing = take(Role.missing, Global.p2m_missing);
  const identity = take(Role.identity, Global.p2m_identity);
  port.fillInvalid(missing);
  port.fillInvalid(identity);
  const writable = !domain.form.sharedLeavesReadOnly;
  port.fillPte(take(Role.missing_pte, Global.p2m_missing_pte), makePte(missing, writable));
  port.fillPte(take(Role.identity_pte, Global.p2m_identity_pte), makePte(identity, writable));
}

function adoptLeaf(domain: Domain, port: ModelPort, state: ListState, pfn: number): void {
  const leaf = port.allocPage(Role.leaf);
  port.fillInvalid(leaf);
  port.setPte(port.areaPtPage(pfn), pfn, makePte(leaf, true));
  const known = state.entries.subarray(pfn, pfn + domain.geometry.perPage);
  if (known.some((word) => word !== INVALID)) port.loadEntries(pfn, known);
}

/** Links what is said in the PTE of `pfn`: a fresh private page, INVALID throughout, or one of the two shared ones. */
export function assumeLeaf(domain: Domain, port: ModelPort, pfn: number, leaf: LeafRun['leaf']): void {
  const { memory } = domain;
  port.op = 0;
  const ptPage = port.areaPtPage(pfn);
  if (ptPage === NO_PAGE || memory.role(ptPage) !== Role.pte) splitPtPage(domain, port, pfn, ptPage);
  const page = leaf === 'own' ? port.allocPage(Role.leaf) : port.global(leaf === 'missing' ? MISSING : IDENTITY);
  assert(page !== NO_PAGE, 'an assumption never runs while allocations fail');
  if (leaf === 'own') port.fillInvalid(page);
  const writable = leaf === 'own' || !domain.form.sharedLeavesReadOnly;
  const old = ptePage(memory.pteOf(pfn));
  // A leaf that is not linked any more keeps no words in the flat memory: they go by an event, which can be undone.
  if (old !== NO_PAGE && memory.role(old) === Role.leaf) port.wipePage(old);
  port.setPte(port.areaPtPage(pfn), pfn, makePte(page, writable));
}

/** A PT page of its own in the slot of `pfn`, with what the shared one says. */
function splitPtPage(domain: Domain, port: ModelPort, pfn: number, shared: number): void {
  const page = port.allocPage(Role.pte);
  assert(page !== NO_PAGE, 'an assumption never runs while allocations fail');
  if (shared === NO_PAGE) port.fillPte(page, NO_PTE);
  else port.copyPage(page, shared);
  port.setPmd(pfn - (pfn % domain.geometry.pfnsPerPtePage), makePte(page, true));
}

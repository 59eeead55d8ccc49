import { Global, INVALID, mfnWord, type EventBatch } from '../../events/index.js';
import { alignUp, Domain } from '../../src/index.js';
import { overlay, type EntryRun } from './overlay.js';
import type { Scenario } from './scenario.js';

/** Mfn of pfn 0 in the domain builder's list of a scenario. */
export const FIRST_MFN = 1000;

/**
 * Boots the domain of a scenario: rebuild, and unless the layout says `notree` the tools' tree and the shared info page;
 * then the slab allocator. No event is left over. One CPU a thread.
 *
 * @param onEvents told of all events, from the first on
 * The old tree has no rebuild: the pages of the builder's list are its leaves, and what lies behind them is missing, or
 * identity where the layout says so.
 *
 * @throws P2mError where the domain cannot be: its kernel has no 32-bit PV, the list is too large
 */
export function bootScenario(scenario: Scenario, onEvents?: (domain: Domain, batch: EventBatch) => void): Domain {
  const { form, geometry, nrPages, limitPfns, threads, fail, machines } = scenario;
  const domain: Domain = new Domain({
    form,
    geometry,
    nrPages,
    p2mLimitPfns: limitPfns,
    cpus: threads.length,
    machines,
    onEvents: (batch) => onEvents?.(domain, batch),
  });
  bootList(domain, scenario);
  domain.armFailure(fail.at, fail.from);
  domain.flush();
  return domain;
}

/** What a domain is booted with. */
export type BootList = Pick<Scenario, 'nrPages' | 'ranges' | 'tree'>;

/** Boots a domain as a scenario does, up to the slab allocator; its last events may not have been handed on. */
export function bootList(domain: Domain, list: BootList): void {
  const { form, geometry } = domain;
  const { nrPages } = list;
  const room = alignUp(nrPages, geometry.perPage);
  if (form.structure === 'tree') bootTree(domain, list, room);
  else {
    domain.boot(nrPages, layOutEntries(domain, list, room, nrPages));
    domain.run('xen_vmalloc_p2m_tree', domain.machines.xenVmallocP2mTree, 0);
  }
  if (list.tree) {
    domain.run('xen_build_mfn_list_list', domain.machines.xenBuildMfnListList, 0);
    domain.setGlobal(Global.HYPERVISOR_shared_info, 1);
    domain.run('xen_setup_mfn_list_list', domain.machines.xenSetupMfnListList, 0);
  }
  domain.slabUp();
}

/** Entries [0, end) as the layout has them; its ranges reach up to `rangeEnd`. */
function layOutEntries({ memory: { codec } }: Domain, list: BootList, end: number, rangeEnd: number): EntryRun[] {
  const add = codec.add.bind(codec);
  let runs: EntryRun[] = overlay([[end, INVALID, 0]], 0, list.nrPages, mfnWord(FIRST_MFN), 1, add);
  for (const range of list.ranges) {
    const pfnEnd = Math.min(range.pfnEnd, rangeEnd);
    if (range.pfnStart >= pfnEnd) continue;
    runs = range.missing
      ? overlay(runs, range.pfnStart, pfnEnd, INVALID, 0, add)
      : overlay(runs, range.pfnStart, pfnEnd, codec.identityOf(range.pfnStart), 1, add);
  }
  return runs;
}

/** The builder's list, and the identity ranges behind it as setup.c marks them (spec 4.2, 4.3). */
function bootTree(domain: Domain, list: BootList, room: number): void {
  const { machines, memory } = domain;
  const { nrPages, ranges } = list;
  const end = Math.max(room, ...ranges.map(({ pfnEnd }) => pfnEnd));
  const builderList: EntryRun[] = [];
  const behind: [pfnStart: number, pfnEnd: number][] = [];
  let pfn = 0;
  for (const [count, word, stride] of layOutEntries(domain, list, end, end)) {
    const listed = Math.max(0, Math.min(count, room - pfn));
    if (listed > 0) builderList.push([listed, word, stride]);
    const from = Math.max(pfn, nrPages);
    pfn += count;
    if (pfn > from && memory.codec.isIdentity(word)) behind.push([from, pfn]);
  }
  domain.boot(nrPages, builderList);
  for (const [from, to] of behind) {
    domain.run('set_phys_range_identity', machines.setPhysRangeIdentity, from, 0, to);
  }
  domain.run('xen_pagetable_p2m_setup', machines.xenPagetableP2mSetup, 0);
}

import { Global, INVALID, mfnWord } from '../../events/index.js';
import { alignUp, Domain } from '../../src/index.js';
import { overlay, type EntryRun } from './overlay.js';
import type { Scenario } from './scenario.js';

/** Mfn of pfn 0 in the domain builder's list of a scenario. */
const FIRST_MFN = 1000;

/**
 * Boots the domain of a scenario: rebuild, and unless the layout says `notree` the tools' tree and the shared info page;
 * then the slab allocator. No event is left over. One CPU a thread.
 *
 * @throws P2mError where the domain cannot be: its kernel has no 32-bit PV, the list is too large
 */
export function bootScenario(scenario: Scenario): Domain {
  const { form, geometry, nrPages, ranges, limitPfns, tree, threads, fail, machines } = scenario;
  const domain = new Domain({ form, geometry, nrPages, p2mLimitPfns: limitPfns, cpus: threads.length, machines });
  const { codec } = domain.memory;
  const add = codec.add.bind(codec);
  const room = alignUp(nrPages, geometry.perPage);
  let runs: EntryRun[] = overlay([[room, INVALID, 0]], 0, nrPages, mfnWord(FIRST_MFN), 1, add);
  for (const { missing, pfnStart, pfnEnd } of ranges) {
    const end = Math.min(pfnEnd, nrPages);
    if (pfnStart >= end) continue;
    runs = missing
      ? overlay(runs, pfnStart, end, INVALID, 0, add)
      : overlay(runs, pfnStart, end, codec.identityOf(pfnStart), 1, add);
  }
  domain.boot(nrPages, runs);
  domain.run('xen_vmalloc_p2m_tree', domain.machines.xenVmallocP2mTree, 0);
  if (tree) {
    domain.run('xen_build_mfn_list_list', domain.machines.xenBuildMfnListList, 0);
    domain.setGlobal(Global.HYPERVISOR_shared_info, 1);
    domain.run('xen_setup_mfn_list_list', domain.machines.xenSetupMfnListList, 0);
  }
  domain.slabUp();
  domain.armFailure(fail.at, fail.from);
  domain.flush();
  return domain;
}

import { Global, INVALID, mfnWord, type EventBatch } from '../../events/index.js';
import { alignUp, Domain, formByKernel, GEOMETRIES, type Form, type GeometryName } from '../../src/index.js';

/** Pfns from `start` up to, not with, `end`. */
export type Range = readonly [start: number, end: number];

/** What a test's domain is made of; all ranges are half-open pfns. */
export interface BootOptions {
  /** A form's name, a version, or a form of one's own (a mutant). */
  readonly kernel: string | Form;
  readonly geometry: GeometryName;
  readonly nrPages: number;
  /** Not populated by the domain builder: INVALID in its list. */
  readonly holes?: readonly Range[];
  readonly identity?: readonly Range[];
  /** Extra memory: E820 RAM that is not populated at start; the list grows to its end (spec 4.2.1). */
  readonly extra?: readonly Range[];
  readonly memory?: 'paged' | 'flat';
  readonly cpus?: number;
  /** Whether the tools get a tree and shared info; default yes. */
  readonly tree?: boolean;
  /** start_info.flags. */
  readonly flags?: number;
  readonly p2mLimitPfns?: number;
  /** machine_to_phys_nr; the m2p then knows every frame of the builder's list. Default no m2p. */
  readonly m2pFrames?: number;
  readonly onEvents?: (batch: EventBatch) => void;
}

/** Frame of pfn 0 in a booted domain: pfn p has mfn FIRST_MFN + p, as in the concurrency vectors. */
export const FIRST_MFN = 1000;

/**
 * A domain as it stands when its kernel has booted: boot, identity ranges, extra memory, the rebuild, the tools' tree and
 * shared info, and the slab allocator up. @throws Error where a step of the boot does not end as it should.
 */
export function bootedDomain(options: BootOptions): Domain {
  const geometry = GEOMETRIES[options.geometry];
  const { nrPages, extra = [], p2mLimitPfns, m2pFrames, onEvents, flags } = options;
  const extraEnd = Math.max(0, ...extra.map(([, end]) => end));
  const d = new Domain({
    form: typeof options.kernel === 'string' ? formByKernel(options.kernel) : options.kernel,
    geometry,
    nrPages,
    memory: options.memory ?? 'paged',
    maxPfn: extraEnd,
    cpus: options.cpus ?? 1,
    ...(p2mLimitPfns === undefined ? {} : { p2mLimitPfns }),
    ...(m2pFrames === undefined ? {} : { m2pFrames }),
    ...(onEvents === undefined ? {} : { onEvents }),
  });
  if (flags !== undefined) d.setGlobal(Global['start_info.flags'], flags);
  bootList(d, nrPages, options.holes ?? []);
  const { machines } = d;
  for (const [start, end] of options.identity ?? []) {
    ended(d.run('set_phys_range_identity', machines.setPhysRangeIdentity, start, 0, end).kind, 'count');
  }
  if (extra.length > 0) {
    d.setExtraMem(extra.map(([start, end]) => [start, end - start] as const));
    d.setGlobal(Global.xen_max_p2m_pfn, Math.max(extraEnd, d.global(Global.xen_max_p2m_pfn)));
  }
  ended(d.run('xen_vmalloc_p2m_tree', machines.xenVmallocP2mTree, 0).kind, 'void');
  if (options.tree ?? true) {
    ended(d.run('xen_build_mfn_list_list', machines.xenBuildMfnListList, 0).kind, 'void');
    d.setGlobal(Global.HYPERVISOR_shared_info, 1);
    ended(d.run('xen_setup_mfn_list_list', machines.xenSetupMfnListList, 0).kind, 'void');
  }
  d.slabUp();
  if (m2pFrames !== undefined) {
    const unpopulated = (pfn: number): boolean =>
      [...(options.holes ?? []), ...(options.identity ?? [])].some(([start, end]) => pfn >= start && pfn < end);
    for (let pfn = 0; pfn < nrPages; pfn++) if (!unpopulated(pfn)) d.setM2p(FIRST_MFN + pfn, pfn);
  }
  return d;
}

function bootList(d: Domain, nrPages: number, holes: readonly Range[]): void {
  const room = alignUp(nrPages, d.geometry.perPage);
  const runs: [count: number, word: number, stride: number][] = [];
  let at = 0;
  for (const [start, end] of [...holes].sort((a, b) => a[0] - b[0])) {
    if (start > at) runs.push([start - at, mfnWord(FIRST_MFN + at), 1]);
    runs.push([end - start, INVALID, 0]);
    at = end;
  }
  if (room > at) runs.push([room - at, mfnWord(FIRST_MFN + at), 1]);
  ended(d.boot(nrPages, runs).kind, 'void');
}

function ended(got: string, expected: string): void {
  if (got !== expected) throw new Error(`the boot went wrong: got ${got}, want ${expected}`);
}

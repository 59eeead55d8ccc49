import {
  Global,
  inputError,
  INVALID,
  type EntryCodec,
  type EventBatch,
  type EventsHeader,
} from '../../events/index.js';
import { alignUp, Domain, headerOf, type Form, type Geometry, type LeafRun, type ListState } from '../../src/index.js';
import { listStateOf, type ListDump } from '../recording/list_dump.js';
import type { LogFormat } from '../trace/sniff.js';
import { Knowledge } from './knowledge.js';

/** An event keeps its CPU in a byte. */
const CPUS = 256;
/** P2M_LIMIT of kernels with memory hotplug (spec 4.5), which size the list where no dump says it. */
const P2M_LIMIT_GIB = 512;

/** What a replay runs on. */
export interface ReplayModel {
  /** The kernel's own version, of which `form` is the form. */
  readonly kernel: string;
  readonly form: Form;
  readonly geometry: Geometry;
  readonly memory: 'paged' | 'flat';
}

/**
 * Who keeps the events of a replay: asked once for each domain that is begun, with what the head of a log must say, then
 * told of its events in order.
 */
export type EventKeeper = (header: EventsHeader, codec: EntryCodec) => (batch: EventBatch) => void;

/** The domain of a replay, and what is known of its list. */
export class ReplayedDomain {
  readonly domain: Domain;
  readonly knowledge: Knowledge;
  /** Whether the model's xen_p2m_last_pfn is the kernel's. */
  readonly knowsLastPfn: boolean;

  /**
   * Begins with the list of a dump; with its words alone, where its page kinds are not known; with the list of the domain
   * builder, where the log is of the early boot; or with nothing known.
   *
   * @param log what the log is called
   * @param to  the dump that it leads to, which may say how large the list is
   * @throws {P2mError} a dump is not that of a list, or an early boot has none
   */
  constructor(
    model: ReplayModel,
    codec: EntryCodec,
    log: string,
    format: LogFormat,
    from: ListDump | undefined,
    to: ListDump | undefined,
    keeper: EventKeeper | undefined,
  ) {
    const isBoot = format === 'early-boot' && (from === undefined || from.kinds.length === 0);
    const { geometry, form } = model;
    const state = isBoot ? undefined : stateOf(from, to, geometry);
    if (isBoot && from === undefined) {
      throw inputError('an early boot starts from the list of the domain builder', {
        got: 'no dump',
        expected: 'a dump of mfn_list as the kernel found it',
      });
    }
    const size = state?.size ?? sizeOf(from, to, geometry);
    let keep: ((batch: EventBatch) => void) | undefined;
    this.domain = new Domain({
      form,
      geometry,
      memory: model.memory,
      codec,
      nrPages: isBoot ? from!.entries.length : 1,
      maxPfn: size,
      p2mLimitPfns: isBoot ? size : 0,
      cpus: CPUS,
      pools: 1,
      quiet: keeper === undefined,
      onEvents: (batch) => {
        if (keeper !== undefined) {
          keep ??= keeper({ ...headerOf(this.domain, log), kernel: model.kernel }, codec);
          keep(batch);
        }
      },
    });
    if (state === undefined) leaveBuildersList(this.domain, codec, from!.entries);
    else this.domain.adopt(state);
    this.domain.flush();
    this.knowledge = new Knowledge(this.domain);
    this.knowsLastPfn = isBoot || (from !== undefined && from.kinds.length > 0 && from.info !== undefined);
    if (state !== undefined) forgetUnknown(this.knowledge, state, from);
  }
}

/** The list that a dump shows; where it has no page kinds, a leaf that holds anything is private, and the others are guessed. */
function stateOf(from: ListDump | undefined, to: ListDump | undefined, geometry: Geometry): ListState {
  if (from !== undefined && from.kinds.length > 0) return listStateOf(from, geometry);
  const size = sizeOf(from, to, geometry);
  const entries = from?.entries.subarray(0, size) ?? new Int32Array(0);
  return {
    size,
    lastPfn: from?.info?.xenP2mLastPfn ?? size,
    leaves: guessLeaves(entries, size, geometry),
    entries,
    mfnTree: true,
  };
}

function sizeOf(from: ListDump | undefined, to: ListDump | undefined, geometry: Geometry): number {
  for (const dump of [from, to]) {
    const size = dump?.info?.xenP2mSize ?? dump?.kinds.at(-1)?.pfnEnd;
    if (size !== undefined && size > 0 && size % geometry.pfnsPerMidPage === 0) return size;
  }
  const dumped = Math.max(from?.entries.length ?? 0, to?.entries.length ?? 0);
  return alignUp(Math.max(dumped, P2M_LIMIT_GIB * geometry.pfnsPerGib), geometry.pfnsPerMidPage);
}

function guessLeaves(entries: Int32Array, size: number, { perPage, pfnsPerPtePage }: Geometry): LeafRun[] {
  const leaves: LeafRun[] = [];
  for (let start = 0; start < size; start += pfnsPerPtePage) {
    const end = start + pfnsPerPtePage;
    if (holdsNothing(entries, start, end)) {
      leaves.push({ pfnStart: start, pfnEnd: end, leaf: 'missing', ptPage: 'missing' });
      continue;
    }
    for (let pfn = start; pfn < end; pfn += perPage) {
      const leaf = holdsNothing(entries, pfn, pfn + perPage) ? 'missing' : 'own';
      leaves.push({ pfnStart: pfn, pfnEnd: pfn + perPage, leaf, ptPage: 'own' });
    }
  }
  return leaves;
}

function holdsNothing(entries: Int32Array, pfnStart: number, pfnEnd: number): boolean {
  for (let pfn = pfnStart; pfn < Math.min(pfnEnd, entries.length); pfn++) if (entries[pfn] !== INVALID) return false;
  return true;
}

/** What no dump says is not known: the kinds of leaves that were guessed, and the words behind the dump's last. */
function forgetUnknown(knowledge: Knowledge, state: ListState, from: ListDump | undefined): void {
  if (from === undefined || from.kinds.length === 0) {
    for (const { pfnStart, pfnEnd, leaf } of state.leaves) {
      if (leaf !== 'own') knowledge.forgetKinds(pfnStart, pfnEnd);
    }
    knowledge.knowsPageTables = false;
  }
  knowledge.forgetWords(state.entries.length);
}

function leaveBuildersList(domain: Domain, codec: EntryCodec, entries: Int32Array): void {
  const ints = codec.runsOf(entries);
  const runs: [number, number, number][] = [];
  for (let i = 0; i < ints.length; i += 3) runs.push([ints[i]!, ints[i + 1]!, ints[i + 2]!]);
  const room = alignUp(entries.length, domain.geometry.perPage) - entries.length;
  if (room > 0) runs.push([room, INVALID, 0]);
  domain.leaveList(entries.length, runs);
  // What setup.c knows of extra memory shows only in xen_max_p2m_pfn (Replayer.onNote).
  domain.setGlobal(Global.xen_extra_mem_count, 0);
}

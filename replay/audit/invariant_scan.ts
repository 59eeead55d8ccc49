import { Global, kindName, KINDS, type EventBatch, type KindName, type StoredLog } from '../../events/index.js';
import { isTree, LIST_AREA, type Memory } from '../../src/index.js';
import { ListTables } from '../scenario/checks/list_tables.js';
import type { Breach, Invariant, InvariantWatch, ListAtMoment } from './invariants/invariant.js';
import { LinkCounts, LINK_KINDS } from './link_counts.js';
import { OpenOperations } from './open_operations.js';
import { PageWords } from './page_words.js';
import { Timeline } from './timeline.js';

/**
 * What a scan comes to.
 *
 * - `broken`: `seq` is the event after which the invariant does not hold any more; `decidedAt` the one that showed it, where
 *   an operation in the middle could still have put it right; else the same.
 * - `held`: after every event.
 * - `unknown`: the log has no list that stands, or it ends in the middle of operations that have broken it so far.
 */
export type ScanResult =
  | { readonly verdict: 'broken'; readonly seq: number; readonly decidedAt: number; readonly says: string }
  | { readonly verdict: 'held' }
  | { readonly verdict: 'unknown'; readonly why: string };

const CALL = KINDS.call.id;
const RETURN = KINDS.return.id;

/** What a kind of event is to a scan, as bits. */
const Asks = { operations: 1, links: 2, watch: 4, changes: 8 } as const;

/** They change nothing that an invariant looks at: who tells of a grant's slots before its call is nobody's act on the list. */
const BESIDE_LIST: readonly KindName[] = ['set_grant', 'set_m2p', 'set_override', 'arm_failure'];

/** Looks for the first event after which the invariant does not hold. @throws {P2mError} as `Timeline.goTo` */
export function scanFor(log: StoredLog, invariant: Invariant): ScanResult {
  return scanForAll(log, [invariant])[0]!;
}

/** `scanFor` of each of the invariants, in their order, in one way through the log. @throws {P2mError} as `Timeline.goTo` */
export function scanForAll(log: StoredLog, invariants: readonly Invariant[]): ScanResult[] {
  return new InvariantScan(log, invariants).run();
}

/** An invariant that the log is held to, until it is broken. */
interface Watched {
  readonly invariant: Invariant;
  watch: InvariantWatch | undefined;
  result: ScanResult | undefined;
}

/**
 * Goes once through a log, event by event, and stops where only an invariant asks for it: between two such events the
 * memory takes all at once. What boot, resume or a dump does is one act, judged when it is over.
 */
class InvariantScan {
  readonly #log: StoredLog;
  readonly #timeline: Timeline;
  readonly #operations = new OpenOperations();
  /** By kind. */
  readonly #asks: Uint8Array;
  readonly #watched: readonly Watched[];
  /** By kind: who is told of it, and holds so far. */
  #byKind: readonly (readonly Watched[])[] = [];
  /** Invariants that hold so far. */
  #open = 0;
  /** Who is told of the event in hand. */
  readonly #told: Watched[] = [];
  #list: ListAtMoment | undefined;
  /** The last event of an act that runs alone and has changed the list; -1 where there was none since we looked. */
  #alone = -1;

  constructor(log: StoredLog, invariants: readonly Invariant[]) {
    this.#log = log;
    this.#timeline = new Timeline(log);
    this.#watched = invariants.map((invariant) => ({ invariant, watch: undefined, result: undefined }));
    const watched = new Set<string>(invariants.flatMap(({ kinds }) => kinds));
    const links: readonly string[] = LINK_KINDS;
    const beside: readonly string[] = BESIDE_LIST;
    this.#asks = Uint8Array.from({ length: 256 }, (_, id) => {
      const name = kindName(id);
      if (name === undefined) return 0;
      const operations = id === CALL || id === RETURN ? Asks.operations : 0;
      const changes = KINDS[name].mutates && !beside.includes(name) ? Asks.changes : 0;
      return operations | changes | (links.includes(name) ? Asks.links : 0) | (watched.has(name) ? Asks.watch : 0);
    });
    this.#sort();
  }

  run(): ScanResult[] {
    const { blocks } = this.#log;
    for (let block = 0; block < blocks && this.#isOpen; block++) {
      this.#block(this.#log.read(block), this.#log.seqOf(block));
    }
    if (this.#alone >= 0 && this.#isOpen) this.#begin();
    return this.#watched.map(({ watch, result }) => result ?? this.#end(watch));
  }

  /** Whether an invariant holds so far. */
  get #isOpen(): boolean {
    return this.#open > 0;
  }

  #block(batch: EventBatch, start: number): void {
    for (let i = 0; i < batch.length; i++) {
      const asks = this.#asks[batch.kind[i]!]!;
      if (asks !== 0) this.#event(batch, i, start + i, asks);
    }
  }

  /** Who still holds is asked; who does not, no more. */
  #sort(): void {
    const open = this.#watched.filter(({ result }) => result === undefined);
    this.#open = open.length;
    this.#byKind = Array.from({ length: 256 }, (_, id) =>
      open.filter(({ invariant }) => invariant.kinds.some((kind) => KINDS[kind].id === id)),
    );
  }

  #event(batch: EventBatch, row: number, seq: number, asks: number): void {
    const operations = this.#operations;
    if (operations.isAlone(batch, row)) {
      if ((asks & Asks.changes) !== 0) this.#alone = seq;
      if ((asks & Asks.operations) !== 0) operations.note(batch, row);
      return;
    }
    if (!this.#isOpen) return;
    if (this.#alone >= 0) this.#begin();
    const ended = operations.note(batch, row);
    if (this.#list === undefined || (asks & (Asks.links | Asks.watch)) === 0) return;
    const told = this.#askAll(batch, row);
    if (told.length === 0 && (asks & Asks.links) === 0) return;
    for (const { watch } of told) {
      if (watch?.look === undefined) continue;
      this.#timeline.goTo(seq);
      watch.look(batch, row);
    }
    this.#timeline.goTo(seq + 1);
    if ((asks & Asks.links) !== 0) this.#list.links.note(batch, row);
    let isBroken = false;
    for (const one of told) {
      one.result = broken(one.watch!.after({ batch, row, seq, ended }), seq);
      isBroken ||= one.result !== undefined;
    }
    if (isBroken) this.#sort();
  }

  /** Those that are to be told of the event. */
  #askAll(batch: EventBatch, row: number): readonly Watched[] {
    const told = this.#told;
    told.length = 0;
    for (const one of this.#byKind[batch.kind[row]!]!) {
      if (one.watch!.before?.(batch, row) ?? true) told.push(one);
    }
    return told;
  }

  /** An act that ran alone is over: what it has left is judged, and what follows is held to it. */
  #begin(): void {
    const seq = this.#alone;
    this.#alone = -1;
    this.#timeline.goTo(seq + 1);
    const { memory, form } = this.#timeline;
    if (!stands(memory)) return;
    const tables = new ListTables(memory);
    const links = new LinkCounts(memory, tables);
    const words = new PageWords(memory);
    this.#list = { memory, form, tables, links, operations: this.#operations, words };
    for (const one of this.#watched) {
      if (one.result !== undefined) continue;
      one.watch = one.invariant.watch(this.#list);
      const says = one.watch.begin();
      if (says !== undefined) one.result = { verdict: 'broken', seq, decidedAt: seq, says };
    }
    this.#sort();
  }

  #end(watch: InvariantWatch | undefined): ScanResult {
    if (watch === undefined) return { verdict: 'unknown', why: 'the log has no list that stands: its boot is missing' };
    if ((watch.undecided ?? 0) === 0) return { verdict: 'held' };
    const why = `the log ends in the middle of ${operationsText(this.#operations.count)}, which may still put right what they have broken`;
    return { verdict: 'unknown', why };
  }
}

function broken(breach: Breach | undefined, decidedAt: number): ScanResult | undefined {
  return breach === undefined ? undefined : { verdict: 'broken', ...breach, decidedAt };
}

/** Whether the list is built: the linear one in its own area, or the old tree. */
function stands(memory: Memory): boolean {
  return isTree(memory) || memory.words[Global.xen_p2m_addr] === LIST_AREA;
}

function operationsText(count: number): string {
  return `${count} operation${count === 1 ? '' : 's'}`;
}

import { Global, kindName, KINDS, type EventBatch, type StoredLog } from '../../events/index.js';
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

/** Looks for the first event after which the invariant does not hold. @throws {P2mError} as `Timeline.goTo` */
export function scanFor(log: StoredLog, invariant: Invariant): ScanResult {
  return new InvariantScan(log, invariant).run();
}

/**
 * Goes once through a log, event by event, and stops where only the invariant asks for it: between two such events the
 * memory takes all at once. What boot, resume or a dump does is one act, judged when it is over.
 */
class InvariantScan {
  readonly #log: StoredLog;
  readonly #invariant: Invariant;
  readonly #timeline: Timeline;
  readonly #operations = new OpenOperations();
  /** By kind. */
  readonly #asks: Uint8Array;
  #list: ListAtMoment | undefined;
  #watch: InvariantWatch | undefined;
  /** The last event of an act that runs alone and has changed the list; -1 where there was none since we looked. */
  #alone = -1;

  constructor(log: StoredLog, invariant: Invariant) {
    this.#log = log;
    this.#invariant = invariant;
    this.#timeline = new Timeline(log);
    const watched: readonly string[] = invariant.kinds;
    const links: readonly string[] = LINK_KINDS;
    this.#asks = Uint8Array.from({ length: 256 }, (_, id) => {
      const name = kindName(id);
      if (name === undefined) return 0;
      const operations = id === CALL || id === RETURN ? Asks.operations : 0;
      const changes = KINDS[name].mutates ? Asks.changes : 0;
      return operations | changes | (links.includes(name) ? Asks.links : 0) | (watched.includes(name) ? Asks.watch : 0);
    });
  }

  run(): ScanResult {
    const { blocks } = this.#log;
    for (let block = 0; block < blocks; block++) {
      const batch = this.#log.read(block);
      const start = this.#log.seqOf(block);
      for (let i = 0; i < batch.length; i++) {
        const asks = this.#asks[batch.kind[i]!]!;
        if (asks === 0) continue;
        const found = this.#event(batch, i, start + i, asks);
        if (found !== undefined) return found;
      }
    }
    return this.#end();
  }

  #event(batch: EventBatch, row: number, seq: number, asks: number): ScanResult | undefined {
    const operations = this.#operations;
    if (operations.isAlone(batch, row)) {
      if ((asks & Asks.changes) !== 0) this.#alone = seq;
      if ((asks & Asks.operations) !== 0) operations.note(batch, row);
      return undefined;
    }
    if (this.#alone >= 0) {
      const found = this.#begin();
      if (found !== undefined) return found;
    }
    const watch = this.#watch;
    const ended = operations.note(batch, row);
    if (watch === undefined || (asks & (Asks.links | Asks.watch)) === 0) return undefined;
    const isTold = (asks & Asks.watch) !== 0 && (watch.before?.(batch, row) ?? true);
    if (!isTold && (asks & Asks.links) === 0) return undefined;
    if (isTold && watch.look !== undefined) {
      this.#timeline.goTo(seq);
      watch.look(batch, row);
    }
    this.#timeline.goTo(seq + 1);
    if ((asks & Asks.links) !== 0) this.#list!.links.note(batch, row);
    if (!isTold) return undefined;
    return broken(watch.after({ batch, row, seq, ended }), seq);
  }

  /** An act that ran alone is over: what it has left is judged, and what follows is held to it. */
  #begin(): ScanResult | undefined {
    const seq = this.#alone;
    this.#alone = -1;
    this.#timeline.goTo(seq + 1);
    const { memory, form } = this.#timeline;
    if (!stands(memory)) return undefined;
    const tables = new ListTables(memory);
    const links = new LinkCounts(memory, tables);
    const words = new PageWords(memory);
    this.#list = { memory, form, tables, links, operations: this.#operations, words };
    this.#watch = this.#invariant.watch(this.#list);
    const says = this.#watch.begin();
    return says === undefined ? undefined : { verdict: 'broken', seq, decidedAt: seq, says };
  }

  #end(): ScanResult {
    if (this.#alone >= 0) {
      const found = this.#begin();
      if (found !== undefined) return found;
    }
    if (this.#watch === undefined)
      return { verdict: 'unknown', why: 'the log has no list that stands: its boot is missing' };
    const undecided = this.#watch.undecided ?? 0;
    if (undecided === 0) return { verdict: 'held' };
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

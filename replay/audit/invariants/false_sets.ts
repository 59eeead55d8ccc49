import { Global, KINDS, Operation, Result, type EventBatch } from '../../../events/index.js';
import { NO_PAGE } from '../../../src/index.js';
import type { Breach, Happened, Invariant, InvariantWatch, ListAtMoment } from './invariant.js';

const CALL = KINDS.call.id;
const SET_ENTRY = KINDS.set_entry.id;
const ALLOC_FAILED = KINDS.alloc_failed.id;

/** I9: false is said where nothing was stored, and for a reason. */
export const FALSE_SET: Invariant = {
  holds: 'a set that returns false has stored nothing, and memory was short; __set: the leaf was shared (I9)',
  kinds: ['call', 'set_entry', 'alloc_failed', 'return'],
  watch: (list) => new FalseSets(list),
};

/** A set in the middle. */
interface Set {
  readonly pfn: number;
  readonly raw: boolean;
  /** Its leaf was private when it was called, and so it stays. */
  readonly wasPrivate: boolean;
  stored: boolean;
  short: boolean;
}

class FalseSets implements InvariantWatch {
  readonly #list: ListAtMoment;
  readonly #sets = new Map<number, Set>();

  constructor(list: ListAtMoment) {
    this.#list = list;
  }

  begin(): undefined {
    return undefined;
  }

  /** Keeps books; only a set that returns false is judged. The links are never behind, and nothing else is read here. */
  before(batch: EventBatch, i: number): boolean {
    const kind = batch.kind[i];
    if (kind === CALL) {
      if (isSet(batch.a[i]!)) this.#call(batch, i);
      return false;
    }
    const op = batch.op[i]!;
    const set = this.#sets.get(op);
    if (set === undefined) return false;
    if (kind === SET_ENTRY) set.stored ||= batch.a[i] === set.pfn;
    else if (kind === ALLOC_FAILED) set.short = true;
    else if (batch.b[i] === Result.bool && batch.c[i] === 0) return true;
    else this.#sets.delete(op);
    return false;
  }

  after({ batch, row, seq }: Happened): Breach | undefined {
    const op = batch.op[row]!;
    const set = this.#sets.get(op)!;
    this.#sets.delete(op);
    const says = this.#judge(set);
    return says === undefined ? undefined : { seq, says };
  }

  #call(batch: EventBatch, row: number): void {
    const { tables } = this.#list;
    const pfn = batch.c[row]! * 2 ** 32 + (batch.b[row]! >>> 0);
    const leaf = tables.leafOf(pfn);
    const wasPrivate = leaf !== NO_PAGE && !tables.isShared(leaf);
    const raw = batch.a[row] === Operation.__set_phys_to_machine;
    this.#sets.set(batch.op[row]!, { pfn, raw, wasPrivate, stored: false, short: false });
  }

  #judge({ pfn, raw, wasPrivate, stored, short }: Set): string | undefined {
    const { memory, form, words } = this.#list;
    const what = `${raw ? '__set' : 'set'}_phys_to_machine has returned false`;
    if (stored) return `${what}, and has stored an entry of ${words.pfn(pfn)}`;
    if (!raw) return short ? undefined : `${what}, and no allocation failed in it`;
    const isOutOfRange = form.outOfRangeIsFalse && pfn >= memory.words[Global.xen_p2m_size]!;
    return wasPrivate && !isOutOfRange
      ? `${what}, and the leaf of ${words.pfn(pfn)} was private all the time`
      : undefined;
  }
}

function isSet(operation: number): boolean {
  return operation === Operation.set_phys_to_machine || operation === Operation.__set_phys_to_machine;
}

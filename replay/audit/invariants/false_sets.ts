import { Global, KINDS, Operation, Result, type EventBatch } from '../../../events/index.js';
import { NO_PAGE } from '../../../src/index.js';
import type { Breach, Happened, Invariant, InvariantWatch, ListAtMoment } from './invariant.js';

const CALL = KINDS.call.id;
const RETURN = KINDS.return.id;
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

  /** Of calls and returns those of the two sets, of entries the one of the set. */
  before(batch: EventBatch, i: number): boolean {
    const kind = batch.kind[i];
    if (kind === CALL) return isSet(batch.a[i]!);
    const set = this.#sets.get(batch.op[i]!);
    if (set !== undefined && kind === SET_ENTRY && batch.a[i] === set.pfn) set.stored = true;
    if (set !== undefined && kind === ALLOC_FAILED) set.short = true;
    return set !== undefined && kind === RETURN;
  }

  after({ batch, row, seq }: Happened): Breach | undefined {
    const op = batch.op[row]!;
    if (batch.kind[row] === CALL) {
      this.#call(batch, row);
      return undefined;
    }
    const set = this.#sets.get(op)!;
    this.#sets.delete(op);
    const isFalse = batch.b[row] === Result.bool && batch.c[row] === 0;
    const says = isFalse ? this.#judge(set) : undefined;
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

import { FAULT, Operation, type EntryCodec, type Word } from '../../events/index.js';
import type { TrackedOperation } from './operation_tracker.js';

const LOOK_UPS: readonly number[] = [Operation.__pfn_to_mfn, Operation.pfn_to_mfn, Operation.get_phys_to_machine];

/** A store by another operation, or by none: then it has no track. */
export interface OtherStore {
  readonly tid: number | undefined;
  readonly ns: number;
  readonly seq: number;
}

/** A look-up that is open. */
interface Watch {
  readonly operation: TrackedOperation;
  /** What another stored last, since it began. */
  current: Word;
  store: OtherStore | undefined;
}

/** Finds look-ups that returned a value which another operation had replaced before they returned. */
export class StaleLookUps {
  readonly #codec: EntryCodec;
  readonly #watches = new Map<TrackedOperation, Watch>();

  constructor(codec: EntryCodec) {
    this.#codec = codec;
  }

  /** Whether a look-up is open; else stores need not be told. */
  get isWatching(): boolean {
    return this.#watches.size > 0;
  }

  begin(operation: TrackedOperation): void {
    if (!LOOK_UPS.includes(operation.operation)) return;
    this.#watches.set(operation, { operation, current: FAULT, store: undefined });
  }

  /** `word` is stored as the entry of `pfn`. */
  stored(pfn: number, word: Word, op: number, store: OtherStore): void {
    for (const watch of this.#watches.values()) {
      if (watch.operation.pfn !== pfn || watch.operation.op === op) continue;
      watch.current = word;
      watch.store = store;
    }
  }

  /** The entries of [pfnStart, pfnEnd) become identity. */
  identified(pfnStart: number, pfnEnd: number, op: number, store: OtherStore): void {
    for (const { operation } of this.#watches.values()) {
      const { pfn } = operation;
      if (pfn >= pfnStart && pfn < pfnEnd) this.stored(pfn, this.#codec.identityOf(pfn), op, store);
    }
  }

  /** The operation returned; FAULT for no entry. Gives the store that replaced what it returned. */
  end(operation: TrackedOperation, returned: Word): OtherStore | undefined {
    const watch = this.#watches.get(operation);
    if (watch === undefined) return undefined;
    this.#watches.delete(operation);
    const { current, store } = watch;
    if (store === undefined || returned === FAULT) return undefined;
    const shown = operation.operation === Operation.pfn_to_mfn ? this.#codec.clearBits(current) : current;
    return returned === shown ? undefined : store;
  }
}

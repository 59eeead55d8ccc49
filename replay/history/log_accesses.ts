import { KINDS, Result, type EntryCodec, type EventBatch } from '../../events/index.js';
import { AccessKind, AccessStore, type AccessGroup } from './access_store.js';
import { BARE_LOOK_UP, ENTRY_LOOK_UPS, ENTRY_SETS, LIST_KEEPERS, LIST_MAKERS } from './entry_operations.js';
import { RunningOperations, type IdentityWrite, type RunningOperation } from './running_operations.js';

const CALL = KINDS.call.id;
const RETURN = KINDS.return.id;
const SET_ENTRY = KINDS.set_entry.id;
const IDENTITY_RANGE = KINDS.identity_range.id;
const BOOT = KINDS.boot.id;
const LOAD_ENTRIES = KINDS.load_entries.id;
const NONE = -1;
const NO_OP = 0;
const TWO_32 = 2 ** 32;

/** By number of the operation: what it does to the register of its pfn. */
const Role = { other: 0, read: 1, bareRead: 2, set: 3, keeper: 4, maker: 5 } as const;
const ROLES = new Uint8Array(256);
for (const operation of ENTRY_LOOK_UPS) ROLES[operation] = Role.read;
ROLES[BARE_LOOK_UP] = Role.bareRead;
for (const operation of ENTRY_SETS) ROLES[operation] = Role.set;
for (const operation of LIST_KEEPERS) ROLES[operation] = Role.keeper;
for (const operation of LIST_MAKERS) ROLES[operation] = Role.maker;

/**
 * What the events of a log say of its entries as registers, one a pfn: reads are what look-ups returned, writes what sets
 * were told to store, and what other operations (the balloon, grants) stored, each at some moment between the beginning and
 * the end of its operation. Columns, no object an access.
 *
 * An access begins with the `call` of its operation and ends with its `return`. Without an effect is a set that returned
 * false and stored nothing. Nobody knows of what an assertion, a fault, or the end of the log cut off.
 */
export class LogAccesses {
  readonly store = new AccessStore();
  /** Number of the first event that belongs to them: what the registers held before it is their first value. */
  begin: number | undefined;
  readonly #codec: EntryCodec;
  readonly #open = new RunningOperations();
  readonly #ranges: IdentityWrite[] = [];

  /** @param codec the one that the words of the events belong to */
  constructor(codec: EntryCodec) {
    this.#codec = codec;
  }

  /**
   * Takes rows of the batch, from row `from` on; row 0 is event `seq` of the log. Gives the row behind the last one taken:
   * less than all of them where the list is made anew there, which ends these registers.
   * @throws {P2mError} code `bad-input`: an operation begins that has not ended; `capacity`: too many pfns
   */
  take(batch: EventBatch, from: number, seq: number): number {
    const { kind, length } = batch;
    for (let i = from; i < length; i++) {
      const k = kind[i]!;
      if (k === CALL) {
        if (!this.#call(batch, i, seq + i)) return i;
      } else if (k === RETURN) this.#return(batch, i, seq + i);
      else if (k === SET_ENTRY) this.#store(batch, i, seq + i);
      else if (k === IDENTITY_RANGE) this.#identify(batch, i, seq + i);
      else if ((k === BOOT || k === LOAD_ENTRIES) && this.begin !== undefined) return i;
    }
    return length;
  }

  /** No more events: the accesses that say something, group by group, by ascending pfn. Each is in hand until the next. */
  *groups(): Generator<AccessGroup, void, undefined> {
    const { store } = this;
    for (const { access, operation } of this.#open.all()) {
      // Nobody knows what a read saw that never returned; a write may have taken effect.
      if (access !== NONE && ROLES[operation] !== Role.set) store.become(access, AccessKind.none);
    }
    for (const group of store.groups()) {
      for (const range of this.#ranges) this.#expand(range, group);
      store.arrange(group);
      yield group;
    }
  }

  /** False where the list is made anew. */
  #call(batch: EventBatch, i: number, seq: number): boolean {
    const operation = batch.a[i]!;
    const role = ROLES[operation]!;
    if (role === Role.maker && this.begin !== undefined) return false;
    if (role < Role.keeper) this.begin ??= seq;
    const open = this.#open.begin(batch.op[i]!, batch.cpu[i]!, operation, seq);
    if (role === Role.read || role === Role.bareRead || role === Role.set) {
      const pfn = batch.c[i]! * TWO_32 + (batch.b[i]! >>> 0);
      const kind = role === Role.set ? AccessKind.write : role === Role.read ? AccessKind.read : AccessKind.bareRead;
      open.access = this.store.add(pfn, kind, seq, batch.d[i]!);
    }
    return true;
  }

  #return(batch: EventBatch, i: number, seq: number): void {
    const open = this.#open.end(batch.op[i]!, batch.cpu[i]!);
    if (open === undefined) return;
    if (open.access !== NONE) this.#answer(open, batch.b[i]!, batch.c[i]!, seq);
    this.#endWrites(open, seq);
  }

  /** A look-up or a set returned. */
  #answer({ operation, access, hasStored }: RunningOperation, result: number, value: number, seq: number): void {
    const { store } = this;
    if (ROLES[operation] !== Role.set) {
      if (result === Result.word) {
        store.found(access, value);
        store.end(access, seq);
      } else store.become(access, AccessKind.none);
    } else if (result === Result.bool) {
      if (value !== 0) store.end(access, seq);
      else if (!hasStored) store.become(access, AccessKind.none);
    }
  }

  #endWrites(open: RunningOperation, seq: number): void {
    if (open.writes !== undefined) for (const access of open.writes) this.store.end(access, seq);
    if (open.ranges !== undefined) for (const range of open.ranges) range.end = seq;
    open.writes = undefined;
    open.ranges = undefined;
  }

  /** The operation that stores in event `i`; undefined where that is before all, or a set: what was to be set is told. */
  #storing(batch: EventBatch, i: number): RunningOperation | 'nobody' | undefined {
    if (this.begin === undefined) return undefined;
    const op = batch.op[i]!;
    const open = op === NO_OP ? undefined : this.#open.find(op, batch.cpu[i]!);
    if (open === undefined) return 'nobody';
    if (ROLES[open.operation] !== Role.set) return open;
    open.hasStored = true;
    return undefined;
  }

  #store(batch: EventBatch, i: number, seq: number): void {
    const by = this.#storing(batch, i);
    if (by === undefined) return;
    const call = by === 'nobody' ? seq : by.call;
    const access = this.store.add(batch.a[i]!, AccessKind.write, call, batch.d[i]!);
    if (by === 'nobody') this.store.end(access, seq);
    else (by.writes ??= []).push(access);
  }

  #identify(batch: EventBatch, i: number, seq: number): void {
    const by = this.#storing(batch, i);
    if (by === undefined) return;
    const range: IdentityWrite = {
      pfnStart: batch.a[i]!,
      pfnEnd: batch.b[i]!,
      call: by === 'nobody' ? seq : by.call,
      end: by === 'nobody' ? seq : undefined,
    };
    this.#ranges.push(range);
    if (by !== 'nobody') (by.ranges ??= []).push(range);
  }

  /** A range is a write to each of its pfns that somebody asked for. */
  #expand({ pfnStart, pfnEnd, call, end }: IdentityWrite, group: AccessGroup): void {
    const last = Math.min(pfnEnd, group.pfnEnd);
    for (let pfn = Math.max(pfnStart, group.pfnStart); pfn < last; pfn++) {
      if (!group.has(pfn)) continue;
      const access = this.store.add(pfn, AccessKind.write, call, this.#codec.identityOf(pfn));
      group.count(pfn - group.pfnStart);
      if (end !== undefined) this.store.end(access, end);
    }
  }
}

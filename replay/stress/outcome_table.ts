import {
  Global,
  INVALID,
  KINDS,
  NAMES,
  Operation,
  Result,
  Role,
  type EventBatch,
  type Word,
} from '../../events/index.js';
import { Grant, isTree, LeafClass, leafClass, lookUp, type Memory } from '../../src/index.js';
import type { OpenCalls } from './open_calls.js';
import {
  End,
  Happened,
  LookUpOutcome,
  lookUpMeaning,
  updateMeaning,
  type Expectation,
  type OutcomeMeaning,
} from './operation_outcome.js';

/** A row of the table: what so many operations came to. */
export interface OutcomeRow extends OutcomeMeaning {
  /** The operation, by its kernel name. */
  readonly operation: string;
  readonly samples: number;
  /** Share of all operations of that name, 0 to 1. */
  readonly share: number;
  /** Number of the event that ended the first of them, and its operation's number; -1 and 0 where the log cut all off. */
  readonly seq: number;
  readonly op: number;
}

const SET_ENTRY = KINDS.set_entry.id;
const SET_PTE = KINDS.set_pte.id;
const SET_PMD = KINDS.set_pmd.id;
const SET_MID = KINDS.set_mid.id;
const SET_TOP = KINDS.set_top.id;
const SET_TOP_MFN = KINDS.set_top_mfn.id;
const FREE_PAGE = KINDS.free_page.id;
const ALLOC_FAILED = KINDS.alloc_failed.id;
const SET_GRANT = KINDS.set_grant.id;
const WARN = KINDS.warn.id;
/** By kind: whether it links a page of the list. */
const LINKS = new Uint8Array(256);
for (const kind of [SET_PTE, SET_PMD, SET_MID, SET_TOP]) LINKS[kind] = 1;
const CPUS = 256;
const HAPPENED_BITS = 11;
const CODES = 1 << (HAPPENED_BITS + 5);
const FALSE_OK = 1 << (HAPPENED_BITS + 4);

/** Kinds that the table is told of; a call and a return have ways of their own. */
export const OUTCOME_KINDS: readonly number[] = [
  SET_ENTRY,
  SET_PTE,
  SET_PMD,
  SET_MID,
  SET_TOP,
  SET_TOP_MFN,
  FREE_PAGE,
  ALLOC_FAILED,
  SET_GRANT,
  WARN,
];

/** By number of the operation: how the table looks at it. */
const Way = { none: 0, lookUp: 1, set: 2, other: 3 } as const;
const WAYS = new Uint8Array(256);
for (const operation of [Operation.__pfn_to_mfn, Operation.get_phys_to_machine]) WAYS[operation] = Way.lookUp;
for (const operation of [Operation.set_phys_to_machine, Operation.__set_phys_to_machine]) WAYS[operation] = Way.set;
for (const operation of [
  Operation.xen_alloc_p2m_entry,
  Operation.decrease_reservation,
  Operation.increase_reservation,
  Operation.set_foreign_p2m_mapping,
  Operation.clear_foreign_p2m_mapping,
])
  WAYS[operation] = Way.other;

/** What so many operations of one kind came to, by a code of the outcome. */
interface Counts {
  readonly samples: Float64Array;
  readonly first: Float64Array;
  readonly firstOp: Int32Array;
}

/**
 * Counts what each operation of a log came to, as JCStress does (result, samples, expected or not), by what it answered beside
 * what the memory held while it ran. No object an operation.
 *
 * It is told of calls and returns where the memory is as it was right before them, of other kinds as soon as they have
 * happened: `OUTCOME_KINDS`.
 */
export class OutcomeTable {
  readonly #memory: Memory;
  readonly #calls: OpenCalls;
  readonly #counts = new Map<number, Counts>();
  /** By CPU: class of the leaf when the operation in hand was called, bits of `Happened`, and values of its pfn since. */
  readonly #leaf = new Uint8Array(CPUS);
  readonly #happened = new Int32Array(CPUS);
  readonly #seen: readonly Word[][] = Array.from({ length: CPUS }, () => []);
  readonly #seenCount = new Int32Array(CPUS);
  /** CPUs with a look-up or a set of one pfn in hand. */
  #watching: number[] = [];

  /** @param calls who is told of calls before the table, and of returns behind it */
  constructor(memory: Memory, calls: OpenCalls) {
    this.#memory = memory;
    this.#calls = calls;
  }

  /** An operation was called: it is in hand. */
  called(cpu: number): void {
    const way = WAYS[this.#calls.operation[cpu]!];
    this.#happened[cpu] = 0;
    if (way !== Way.lookUp && way !== Way.set) return;
    const pfn = this.#calls.pfn[cpu]!;
    const word = lookUp(this.#memory, pfn);
    const isPrivate = word !== INVALID && word !== this.#memory.codec.identityOf(pfn);
    this.#leaf[cpu] = isPrivate ? LeafClass.entries : leafClass(this.#memory, pfn);
    this.#seen[cpu]![0] = word;
    this.#seenCount[cpu] = 1;
    if (!this.#watching.includes(cpu)) this.#watching.push(cpu);
  }

  /** Whether an event of that kind, with that pfn, may change what a look-up of the operation in hand finds. */
  mayConcern(cpu: number, kind: number, pfn: number): boolean {
    const { leafMask } = this.#memory;
    if (!this.#watching.includes(cpu)) return false;
    return kind === SET_ENTRY ? ((pfn ^ this.#calls.pfn[cpu]!) & leafMask) === 0 : LINKS[kind] === 1;
  }

  /** The operation in hand may have found the memory as it is now as well. */
  sawBefore(cpu: number): void {
    this.#lookOf(cpu);
  }

  /** It returns: it is still in hand. */
  returned(batch: EventBatch, i: number, seq: number): void {
    const cpu = batch.cpu[i]!;
    const { operation, op } = this.#calls;
    const way = WAYS[operation[cpu]!]!;
    if (way === Way.none || op[cpu] !== batch.op[i]) return;
    if (way === Way.lookUp) this.#count(cpu, this.#lookedUp(cpu, batch.b[i]!, batch.c[i]!), seq);
    else this.#count(cpu, this.#updated(cpu, batch.b[i]!, batch.c[i]!), seq);
    this.#forget(cpu);
  }

  /** Event `i`, of a kind of `OUTCOME_KINDS`, has happened. */
  note(batch: EventBatch, i: number): void {
    const cpu = batch.cpu[i]!;
    const isOwn = this.#calls.op[cpu] === batch.op[i];
    if (isOwn) this.#happened[cpu]! |= this.#happenedIn(batch, i, cpu);
    switch (batch.kind[i]) {
      case SET_ENTRY:
        return this.#entryStored(batch.a[i]!);
      case SET_PTE:
      case SET_PMD:
      case SET_MID:
      case SET_TOP:
        return this.#look();
      default:
    }
  }

  /** No more events. */
  finish(): OutcomeRow[] {
    const { op, operation } = this.#calls;
    for (let cpu = 0; cpu < CPUS; cpu++) {
      const way = WAYS[operation[cpu]!];
      if (op[cpu] === 0 || way === Way.none) continue;
      this.#count(cpu, way === Way.lookUp ? LookUpOutcome.cut : this.#code(cpu, End.cut), -1);
    }
    return [...this.#counts].flatMap(([number, counts]) => this.#rows(number, counts));
  }

  #rows(operation: number, { samples, first, firstOp }: Counts): OutcomeRow[] {
    const total = samples.reduce((sum, count) => sum + count, 0);
    const rows: OutcomeRow[] = [];
    samples.forEach((count, code) => {
      if (count === 0) return;
      const name = NAMES.operation[operation]!;
      const meaning = this.#meaning(operation, code);
      rows.push({
        operation: name,
        samples: count,
        share: count / total,
        seq: first[code]!,
        op: firstOp[code]!,
        ...meaning,
      });
    });
    return rows.sort((a, b) => RANK[a.expect] - RANK[b.expect] || b.samples - a.samples);
  }

  #meaning(operation: number, code: number): OutcomeMeaning {
    if (WAYS[operation] === Way.lookUp) return lookUpMeaning(code);
    const happened = code & ((1 << HAPPENED_BITS) - 1);
    const end = (code >>> HAPPENED_BITS) & 15;
    return updateMeaning(end, happened, isTree(this.#memory), (code & FALSE_OK) !== 0);
  }

  /** PT pages that are given back for the second of them failed have lost no race (P1). */
  #happenedIn(batch: EventBatch, i: number, cpu: number): number {
    const isGivenBack = batch.kind[i] === FREE_PAGE && (this.#happened[cpu]! & Happened.noMemory) !== 0;
    return isGivenBack && batch.b[i] === Role.pte ? 0 : happenedIn(batch, i);
  }

  /** A store to the entry of another pfn may reach this one, where two leaves are one (B3): then all are looked at. */
  #entryStored(stored: number): void {
    const { leafMask } = this.#memory;
    const { pfn } = this.#calls;
    for (const cpu of this.#watching) {
      if ((pfn[cpu]! & leafMask) === (stored & leafMask)) this.#lookOf(cpu);
    }
  }

  #look(): void {
    for (const cpu of this.#watching) this.#lookOf(cpu);
  }

  #lookOf(cpu: number): void {
    const seen = this.#seen[cpu]!;
    const word = lookUp(this.#memory, this.#calls.pfn[cpu]!);
    const count = this.#seenCount[cpu]!;
    if (seen[count - 1] !== word) seen[this.#seenCount[cpu]!++] = word;
  }

  /** Whether the pfn held the word at some moment since the operation was called. */
  #hasSeen(cpu: number, word: Word): boolean {
    const seen = this.#seen[cpu]!;
    for (let i = this.#seenCount[cpu]! - 1; i >= 0; i--) if (seen[i] === word) return true;
    return false;
  }

  #lookedUp(cpu: number, result: number, word: Word): number {
    if (result !== Result.word) return LookUpOutcome.died;
    if (!this.#hasSeen(cpu, word)) return LookUpOutcome.never;
    const leaf = this.#leaf[cpu]!;
    if (leaf === LeafClass.beyond) return LookUpOutcome.beyond;
    if (leaf !== LeafClass.entries && leafClass(this.#memory, this.#calls.pfn[cpu]!) === LeafClass.entries) {
      return word === this.#seen[cpu]![0] ? LookUpOutcome.touched : LookUpOutcome.stored;
    }
    if (this.#seenCount[cpu]! > 1) return LookUpOutcome.stored;
    if (leaf === LeafClass.missing) return LookUpOutcome.missing;
    return leaf === LeafClass.identity ? LookUpOutcome.identity : LookUpOutcome.private;
  }

  #updated(cpu: number, result: number, value: number): number {
    switch (result) {
      case Result.bug:
        return this.#code(cpu, End.bug);
      case Result.fault:
        return this.#code(cpu, End.fault);
      case Result.bool:
        return value === 0 ? this.#falseCode(cpu) : this.#trueCode(cpu);
      case Result.errno:
        return this.#code(cpu, value === 0 ? End.zero : End.errno);
      default:
        return this.#code(cpu, End.nothing);
    }
  }

  #trueCode(cpu: number): number {
    const happened = this.#happened[cpu]!;
    if ((happened & Happened.stored) !== 0) {
      const isFound =
        this.#leaf[cpu] !== LeafClass.entries && (happened & (Happened.leafLinked | Happened.leafLost)) === 0;
      if (isFound) this.#happened[cpu]! |= Happened.leafFound;
      return this.#code(cpu, End.isTrue);
    }
    const value = this.#calls.value[cpu]!;
    const isAlready = this.#hasSeen(cpu, value) || (this.#isBeyond(cpu) && value === 0);
    return this.#code(cpu, isAlready ? End.isTrueAlready : End.isTrueInVain);
  }

  /** `__set` allocates nothing: it says false where the leaf was shared when it was called, and it may be so of a pfn out of range. */
  #falseCode(cpu: number): number {
    const isRaw = this.#calls.operation[cpu] === Operation.__set_phys_to_machine;
    const isOk = isRaw && (this.#leaf[cpu] !== LeafClass.entries || this.#isBeyond(cpu));
    return this.#code(cpu, End.isFalse) | (isOk ? FALSE_OK : 0);
  }

  #isBeyond(cpu: number): boolean {
    return this.#leaf[cpu] === LeafClass.beyond || this.#calls.pfn[cpu]! >= this.#memory.words[Global.xen_p2m_size]!;
  }

  #code(cpu: number, end: number): number {
    return (end << HAPPENED_BITS) | this.#happened[cpu]!;
  }

  #count(cpu: number, code: number, seq: number): void {
    const operation = this.#calls.operation[cpu]!;
    let counts = this.#counts.get(operation);
    if (counts === undefined) {
      counts = { samples: new Float64Array(CODES), first: new Float64Array(CODES), firstOp: new Int32Array(CODES) };
      this.#counts.set(operation, counts);
    }
    if (counts.samples[code] === 0) {
      counts.first[code] = seq;
      counts.firstOp[code] = this.#calls.op[cpu]!;
    }
    counts.samples[code]!++;
  }

  #forget(cpu: number): void {
    const at = this.#watching.indexOf(cpu);
    if (at >= 0) this.#watching.splice(at, 1);
  }
}

const RANK: Readonly<Record<Expectation, number>> = { FORBIDDEN: 0, INTERESTING: 1, ACCEPTABLE: 2 };

/** What the event says of the operation that it belongs to, as bits of `Happened`. */
function happenedIn(batch: EventBatch, i: number): number {
  switch (batch.kind[i]) {
    case SET_ENTRY:
      return Happened.stored;
    case SET_PTE:
      return Happened.leafLinked;
    case SET_PMD:
      return Happened.pmdLinked;
    case SET_MID:
      return batch.c[i] === batch.d[i] ? Happened.leafLinked : 0;
    case SET_TOP:
      return batch.b[i] === batch.c[i] ? Happened.pmdLinked : 0;
    case SET_TOP_MFN:
      return batch.b[i] === batch.c[i] ? Happened.midLinked : 0;
    case FREE_PAGE:
      return lostOf(batch.b[i]!);
    case ALLOC_FAILED:
      return Happened.noMemory;
    case SET_GRANT:
      return batch.b[i] === Grant.status && batch.d[i] !== 0 ? Happened.slotFailed : 0;
    case WARN:
      return Happened.warned;
    default:
      return 0;
  }
}

/** Pages that an operation of a round frees are its own, that lost a race. */
function lostOf(role: number): number {
  switch (role) {
    case Role.leaf:
      return Happened.leafLost;
    case Role.mid:
      return Happened.midLost;
    case Role.pte:
    case Role.tree_mid:
      return Happened.pmdLost;
    default:
      return 0;
  }
}

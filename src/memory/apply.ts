import {
  assert,
  AssertionError,
  Global,
  INVALID,
  KINDS,
  kindName,
  Role,
  type EntryCodec,
  type EventBatch,
  type Word,
} from '../../events/index.js';
import { ATTEMPTS, EXTRA_MEM, FAIL_AT, FAIL_FROM, GRANTS, GRANT_WORDS, POOL_HEAD } from './layout.js';
import type { Memory } from './memory.js';
import { makePte, NO_PAGE, NO_PTE } from './pte.js';

const ALLOC_PAGE = KINDS.alloc_page.id;
const ALLOC_FAILED = KINDS.alloc_failed.id;
const FREE_PAGE = KINDS.free_page.id;
const FILL_PAGE = KINDS.fill_page.id;
const POPULATE_PMD = KINDS.populate_pmd.id;
const SET_PMD = KINDS.set_pmd.id;
const SET_PTE = KINDS.set_pte.id;
const SET_ENTRY = KINDS.set_entry.id;
const IDENTITY_RANGE = KINDS.identity_range.id;
const BOOT = KINDS.boot.id;
const LOAD_ENTRIES = KINDS.load_entries.id;
const WIPE_PAGE = KINDS.wipe_page.id;
const SET_GLOBAL = KINDS.set_global.id;
const SET_TOP_MFN = KINDS.set_top_mfn.id;
const SET_TOP_MFN_P = KINDS.set_top_mfn_p.id;
const SET_MID_MFN = KINDS.set_mid_mfn.id;
const SET_MAX_PFN = KINDS.set_max_pfn.id;
const SET_GENERATION = KINDS.set_generation.id;
const LOCK = KINDS.lock.id;
const UNLOCK = KINDS.unlock.id;
const SET_TOP = KINDS.set_top.id;
const SET_MID = KINDS.set_mid.id;
const SET_M2P = KINDS.set_m2p.id;
const SET_OVERRIDE = KINDS.set_override.id;
const SET_GRANT = KINDS.set_grant.id;
const SET_EXTRA_MEM = KINDS.set_extra_mem.id;
const ARM_FAILURE = KINDS.arm_failure.id;

/** By id: kinds that change nothing, whose events pass by. */
const IS_OBSERVATION: readonly boolean[] = Array.from({ length: 256 }, (_, id) => {
  const name = kindName(id);
  return name !== undefined && !KINDS[name].mutates;
});

/** Words of the dummy shared info page and of the real one. */
const MAX_PFN_OF = [Global['dummy.max_pfn'], Global['shared_info.max_pfn']];
const GENERATION_OF = [Global['dummy.p2m_generation'], Global['shared_info.p2m_generation']];

/**
 * Makes event `i` of the batch true: the only writer of modelled memory. An event carries what it overwrites; where
 * memory holds something else the log and the memory do not belong together, and that is an error at once.
 *
 * Who calls it holds the engine's lock (or is alone). Observations change nothing.
 * @throws AssertionError when the event does not fit the memory
 */
export function apply(m: Memory, batch: EventBatch, i: number): void {
  turn(m, batch, i, true);
}

/**
 * `apply` of a `set_entry` by its operands, for who plays long logs. Returns whether it fits; where memory does not hold
 * `old`, nothing changes.
 */
export function applyEntry(m: Memory, pfn: number, page: number, old: Word, now: Word): boolean {
  const address = m.homes[page]! + (pfn & m.leafMask);
  if (m.words[address] !== old) return false;
  m.words[address] = now;
  return true;
}

/**
 * Takes event `i` back: the exact inverse of `apply`, for the last event that is still applied. A page that was filled
 * keeps its words, for nobody can read it before it is filled again (pages are never recycled).
 * @throws AssertionError when the event is not the last one applied
 */
export function undo(m: Memory, batch: EventBatch, i: number): void {
  turn(m, batch, i, false);
}

/** One event, forward or back: a kind's meaning stands here once. */
function turn(m: Memory, batch: EventBatch, i: number, forward: boolean): void {
  const words = m.words;
  const a = batch.a[i]!;
  const b = batch.b[i]!;
  const c = batch.c[i]!;
  const d = batch.d[i]!;
  switch (batch.kind[i]) {
    case SET_ENTRY:
      return put(m, batch, i, m.homes[b]! + (a & m.leafMask), c, d, forward);
    case SET_PTE:
      // The leaf is where it belongs before the PTE says so, for who looks without a lock.
      if (forward) m.applyLink(a, b, c, d);
      put(m, batch, i, m.homes[b]! + ((a >>> m.leafShift) & m.pteMask), c, d, forward);
      return forward ? undefined : m.applyLink(a, b, d, c);
    case SET_PMD:
      return put(m, batch, i, pmdAddress(m, a), b, c, forward);
    case FILL_PAGE:
      return forward ? m.applyFill(a, b, c) : undefined;
    case ALLOC_PAGE:
      takePage(m, batch, i, a, b, forward);
      return countAttempt(m, forward);
    case ALLOC_FAILED:
      return countAttempt(m, forward);
    case FREE_PAGE:
      return m.applyFreed(a, forward);
    case POPULATE_PMD:
      takePage(m, batch, i, b, Role.pte, forward);
      return put(m, batch, i, pmdAddress(m, a), NO_PTE, makePte(b, true), forward);
    case SET_GLOBAL:
      return put(m, batch, i, a, b, c, forward);
    case SET_TOP_MFN:
      return exchange(m, batch, i, m.homes[words[Global.p2m_top_mfn]!]! + a, b, c, d, forward);
    case SET_TOP_MFN_P:
      return put(m, batch, i, m.homes[words[Global.p2m_top_mfn_p]!]! + a, b, c, forward);
    case SET_MID_MFN:
      return put(m, batch, i, m.homes[a]! + b, c, d, forward);
    case SET_MAX_PFN:
      return put(m, batch, i, MAX_PFN_OF[a]!, b, c, forward);
    case SET_GENERATION:
      return put(m, batch, i, GENERATION_OF[a]!, b, c, forward);
    case LOCK:
      return put(m, batch, i, Global.p2m_update_lock, 0, batch.cpu[i]! + 1, forward);
    case UNLOCK:
      return put(m, batch, i, Global.p2m_update_lock, batch.cpu[i]! + 1, 0, forward);
    case SET_TOP:
      return exchange(m, batch, i, m.homes[words[Global.p2m_top]!]! + a, b, c, d, forward);
    case SET_MID:
      return exchange(m, batch, i, m.homes[a]! + b, c, d, batch.e[i]!, forward);
    case SET_M2P:
      return put(m, batch, i, m.layout.m2pBase + a, b, c, forward);
    case SET_OVERRIDE:
      return put(m, batch, i, m.layout.overrideBase + a, b, c, forward);
    case SET_GRANT:
      return put(m, batch, i, GRANTS + a * GRANT_WORDS + b, c, d, forward);
    case SET_EXTRA_MEM:
      put(m, batch, i, EXTRA_MEM + 2 * a, b, d, forward);
      return put(m, batch, i, EXTRA_MEM + 2 * a + 1, c, batch.e[i]!, forward);
    case ARM_FAILURE:
      put(m, batch, i, ATTEMPTS, a, 0, forward);
      put(m, batch, i, FAIL_AT, b, d, forward);
      return put(m, batch, i, FAIL_FROM, c, batch.e[i]!, forward);
    case IDENTITY_RANGE:
      return replaceEntries(m, batch, i, a, batch.payloadAt(c), [b - a, m.codec.identityOf(a), 1], forward);
    case LOAD_ENTRIES:
      return replaceEntries(m, batch, i, a, invalid(batch.payloadAt(b)), batch.payloadAt(b), forward);
    case BOOT:
      return replaceRuns(m, batch, i, m.homes[1]!, invalid(batch.payloadAt(b)), batch.payloadAt(b), forward);
    case WIPE_PAGE:
      return replaceRuns(m, batch, i, m.homes[a]!, batch.payloadAt(b), invalid(batch.payloadAt(b)), forward);
    default:
      if (!IS_OBSERVATION[batch.kind[i]!]) unhandled(batch.kind[i]!);
  }
}

/** One word changes from `old` to `now`, or back; what is there must be what the event says. */
function put(
  m: Memory,
  batch: EventBatch,
  i: number,
  address: number,
  old: number,
  now: number,
  forward: boolean,
): void {
  const from = forward ? old : now;
  if (m.words[address] !== from) mismatch(m, batch, i, address, from);
  m.words[address] = forward ? now : old;
}

/** A compare-and-exchange as it went: it found `found`, and stored only if that was what it expected. */
function exchange(
  m: Memory,
  batch: EventBatch,
  i: number,
  address: number,
  expected: number,
  found: number,
  now: number,
  forward: boolean,
): void {
  put(m, batch, i, address, found, found === expected ? now : found, forward);
}

/** The next page of the pool of this CPU gets a role, or is put back. */
function takePage(m: Memory, batch: EventBatch, i: number, page: number, role: number, forward: boolean): void {
  put(m, batch, i, POOL_HEAD + m.poolOf(batch.cpu[i]!), page, page + 1, forward);
  m.applyRole(page, forward ? role : Role.none);
}

function countAttempt(m: Memory, forward: boolean): void {
  m.words[ATTEMPTS] = m.words[ATTEMPTS]! + (forward ? 1 : -1);
}

function pmdAddress(m: Memory, pfn: number): number {
  return m.layout.pmdBase + (pfn >>> m.pmdShift);
}

/** Runs `[count, word, stride]`, one after the other. */
type Runs = ArrayLike<number>;

/** As many INVALID entries as `runs` count. */
function invalid(runs: Runs): Runs {
  let count = 0;
  for (let r = 0; r < runs.length; r += 3) count += runs[r]!;
  return [count, INVALID, 0];
}

/** `put` for the entries from `pfn` on, leaf by leaf: every page that they reach must take a store. */
function replaceEntries(
  m: Memory,
  batch: EventBatch,
  i: number,
  pfn: number,
  old: Runs,
  now: Runs,
  forward: boolean,
): void {
  const from = new RunReader(m, forward ? old : now);
  const to = new RunReader(m, forward ? now : old);
  for (let at = pfn; !from.ended;) {
    const page = m.storePage(at);
    assert(page !== NO_PAGE, `a range of entries reaches pfn ${at}, whose entry cannot be stored`);
    at += replaceWords(
      m,
      batch,
      i,
      m.homes[page]! + (at & m.leafMask),
      from,
      to,
      m.geometry.perPage - (at & m.leafMask),
    );
  }
}

/** `put` for the words from `address` on. */
function replaceRuns(
  m: Memory,
  batch: EventBatch,
  i: number,
  address: number,
  old: Runs,
  now: Runs,
  forward: boolean,
): void {
  const from = new RunReader(m, forward ? old : now);
  const to = new RunReader(m, forward ? now : old);
  for (let at = address; !from.ended;) at += replaceWords(m, batch, i, at, from, to, m.geometry.pageWords);
}

/** The next words, at most `room`, change from what `from` gives to what `to` gives. Returns how many. */
function replaceWords(
  m: Memory,
  batch: EventBatch,
  i: number,
  address: number,
  from: RunReader,
  to: RunReader,
  room: number,
): number {
  const expected = from.take(room);
  for (let k = 0; k < expected.length; k++) {
    if (m.words[address + k] !== expected[k]) mismatch(m, batch, i, address + k, expected[k]!);
  }
  m.words.set(to.take(expected.length), address);
  return expected.length;
}

/** Reads runs in pieces, for they may be as long as the list. */
class RunReader {
  readonly #codec: EntryCodec;
  readonly #runs: Runs;
  readonly #piece: Int32Array;
  #run = 0;
  /** Entries left of the run in hand, and the first of them. */
  #left = 0;
  #word: Word = INVALID;

  constructor(m: Memory, runs: Runs) {
    this.#codec = m.codec;
    this.#runs = runs;
    this.#piece = new Int32Array(m.geometry.pageWords);
    this.#open(0);
  }

  get ended(): boolean {
    return this.#left === 0;
  }

  /** The next entries, at most `max` and a page; valid until the next call. */
  take(max: number): Int32Array {
    let filled = 0;
    while (filled < max && this.#left > 0) {
      const end = Math.min(max, filled + this.#left);
      const stride = this.#runs[this.#run + 2]!;
      this.#codec.writeRun(this.#piece, filled, end, this.#word, stride);
      // Counted from the last entry: a run that reaches INVALID stays there.
      this.#word = this.#codec.add(this.#piece[end - 1]!, stride);
      this.#left -= end - filled;
      filled = end;
      if (this.#left === 0) this.#open(this.#run + 3);
    }
    return this.#piece.subarray(0, filled);
  }

  /** Goes on with the run at `run`, or the first after it that is not empty. */
  #open(run: number): void {
    for (this.#run = run; this.#run < this.#runs.length; this.#run += 3) {
      this.#left = this.#runs[this.#run]!;
      this.#word = this.#runs[this.#run + 1]!;
      if (this.#left > 0) return;
    }
  }
}

function unhandled(kind: number): never {
  throw new AssertionError(`event kind ${kind} (${kindName(kind) ?? 'unknown'}) is not handled by apply`);
}

function mismatch(m: Memory, batch: EventBatch, i: number, address: number, expected: number): never {
  const name = kindName(batch.kind[i]!) ?? String(batch.kind[i]);
  throw new AssertionError(
    `event ${i} (${name}) does not fit the memory: word ${address} holds ${m.words[address]}, the event says ${expected}`,
  );
}

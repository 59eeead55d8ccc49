import { FAULT, Global, KINDS, Role, usageError, type EventBatch, type Word } from '../events/index.js';
import { changedWords, type WordSink } from './memory/changed_words.js';
import { ATTEMPTS, FAIL_AT, FAIL_FROM, GRANTS, GRANT_WORDS, POOL_HEAD } from './memory/layout.js';
import type { Memory } from './memory/memory.js';
import { NO_PAGE, NO_PTE, ptePage, pteWritable, type Pte } from './memory/pte.js';
import { ModelPort } from './model_port.js';
import { Touch, Touches } from './touches.js';

/** Is told of each event of a port as it happens. */
export interface EventObserver {
  /** `page` is about to be filled; what it holds is about to be lost. */
  beforeFill(page: number): void;
  /** The last event of the batch was applied. */
  applied(): void;
}

const ALLOC_PAGE = KINDS.alloc_page.id;
const ALLOC_FAILED = KINDS.alloc_failed.id;
const FREE_PAGE = KINDS.free_page.id;
const FILL_PAGE = KINDS.fill_page.id;
const SET_ENTRY = KINDS.set_entry.id;
const SET_PTE = KINDS.set_pte.id;
const SET_MID = KINDS.set_mid.id;
const SET_MID_MFN = KINDS.set_mid_mfn.id;
const SET_GLOBAL = KINDS.set_global.id;
const LOCK = KINDS.lock.id;
const UNLOCK = KINDS.unlock.id;
const UPDATE_LOCK = Global.p2m_update_lock;

/** Globals that change after the boot (spec 3). The others are constants, and reading one is no access. */
const CHANGING: readonly boolean[] = Array.from({ length: POOL_HEAD }, (_, index) =>
  [
    UPDATE_LOCK,
    Global.xen_p2m_last_pfn,
    Global['dummy.max_pfn'],
    Global['dummy.p2m_generation'],
    Global['shared_info.max_pfn'],
    Global['shared_info.p2m_generation'],
  ].includes(index),
);

const PT_ROLES: readonly number[] = [Role.pte, Role.missing_pte, Role.identity_pte];

/**
 * A model port that keeps what its CPU touches: for explorers, which must know whether two steps depend on each other, and
 * for reports. For a domain that has booted and whose events are held from there on, in one batch.
 *
 * A broken machine is seen here and does not get through: a page that is freed twice is noted and freed once, a word of a
 * freed page is touched and noted; what no kernel could go on from is an error that names what was done.
 *
 * Not an access: a constant of the boot; the CPU's own pool of pages; a fresh page of its own, while no word of shared
 * memory has named it since it was allocated.
 */
export class ObservedPort extends ModelPort implements WordSink {
  /** What was touched since the caller last cleared it. */
  readonly touches = new Touches();
  /** Freed pages that were touched, in that time. */
  readonly touchedFreed: number[] = [];
  /** Pages that were freed once more; who goes back shortens it. */
  readonly doubleFreed: number[] = [];
  observer: EventObserver | undefined;

  /** Forgets what was touched. */
  clear(): void {
    this.touches.clear();
    this.touchedFreed.length = 0;
  }

  override global(index: number): number {
    return CHANGING[index] === false ? super.global(index) : this.#see(Touch.read, index);
  }

  override loadEntry(pfn: number): Word {
    const pte = this.#translate(pfn);
    if (pte === NO_PTE) return FAULT;
    return this.#see(Touch.read, this.memory.homes[ptePage(pte)]! + (pfn & this.memory.leafMask));
  }

  override storeEntry(pfn: number, value: Word): boolean {
    const pte = this.#translate(pfn);
    if (!pteWritable(pte)) return false;
    super.storeLeaf(ptePage(pte), pfn, value);
    return true;
  }

  override walk(pfn: number): number {
    const { memory } = this;
    if (pfn >= memory.layout.areaPfns) return NO_PAGE;
    return ptePage(this.#see(Touch.read, memory.layout.pmdBase + (pfn >>> memory.pmdShift)));
  }

  override loadPte(ptPage: number, pfn: number): Pte {
    return this.#see(Touch.read, this.#ptAddress(ptPage, pfn));
  }

  override copyPage(page: number, source: number): void {
    const { memory } = this;
    const home = memory.homes[this.#checked(source)]!;
    const { ptrsPerPte, pageWords } = memory.geometry;
    const end = home + (PT_ROLES.includes(memory.role(source)) ? ptrsPerPte : pageWords);
    for (let address = home; address < end; address++) this.#see(Touch.copy, address);
    super.copyPage(page, source);
  }

  override allocPage(role: number): number {
    const { memory } = this;
    const pool = memory.poolOf(this.cpu);
    if (memory.words[POOL_HEAD + pool]! >= memory.poolStart(pool) + memory.layout.pagesPerPool) {
      throw usageError('a machine has taken all pages there are', {
        got: `CPU ${this.cpu}: ${memory.layout.pagesPerPool} pages`,
        expected: 'a path that ends',
      });
    }
    const page = super.allocPage(role);
    // It may hold what a path left that was taken back: what it holds must not depend on that.
    if (page !== NO_PAGE) memory.words.fill(0, memory.homes[page], memory.homes[page]! + memory.geometry.pageWords);
    return page;
  }

  override freePage(page: number): void {
    if (this.memory.isFreed(page)) this.doubleFreed.push(page);
    else super.freePage(page);
  }

  override lock(): boolean {
    return super.lock() || this.#see(Touch.read, UPDATE_LOCK) === 0;
  }

  override unlock(): void {
    const owner = this.memory.words[UPDATE_LOCK]!;
    if (owner !== this.cpu + 1) {
      throw usageError('a machine gives back p2m_update_lock, which it does not hold', {
        got: owner === 0 ? `CPU ${this.cpu}, and nobody holds it` : `CPU ${this.cpu}, and CPU ${owner - 1} holds it`,
      });
    }
    super.unlock();
  }

  override loadTopMfn(index: number): number {
    return this.#word(this.memory.words[Global.p2m_top_mfn]!, index);
  }

  override loadTopMfnP(index: number): number {
    return this.#word(this.memory.words[Global.p2m_top_mfn_p]!, index);
  }

  override loadMid(page: number, index: number): number {
    return this.#word(page, index);
  }

  override loadTop(index: number): number {
    return this.#word(this.memory.words[Global.p2m_top]!, index);
  }

  override loadLeaf(page: number, pfn: number): Word {
    return this.#word(page, pfn & this.memory.leafMask);
  }

  override loadM2p(mfn: number): number {
    return this.#see(Touch.read, this.memory.layout.m2pBase + mfn);
  }

  override loadOverride(mfn: number): number {
    return this.#see(Touch.read, this.memory.layout.overrideBase + mfn);
  }

  override loadGrant(slot: number, field: number): number {
    return this.#see(Touch.read, GRANTS + slot * GRANT_WORDS + field);
  }

  /** A word that an event changes. */
  change(address: number, old: number, now: number): void {
    this.#touch(Touch.write, address, old, now);
  }

  protected override event(kind: number, a = 0, b = 0, c = 0, d = 0, e = 0): void {
    this.#checkEvent(kind, a, b);
    if (kind === FILL_PAGE) this.observer?.beforeFill(a);
    super.event(kind, a, b, c, d, e);
    this.#touchBy(kind, a);
    this.observer?.applied();
  }

  /** Notes what the last event of the batch touched. */
  #touchBy(kind: number, a: number): void {
    const { words } = this.memory;
    switch (kind) {
      case LOCK:
        return this.#touch(Touch.lock, UPDATE_LOCK, 0, words[UPDATE_LOCK]!);
      case UNLOCK:
        return this.#touch(Touch.unlock, UPDATE_LOCK, this.cpu + 1, 0);
      case ALLOC_PAGE:
      case ALLOC_FAILED:
        if (words[FAIL_AT] === 0 && words[FAIL_FROM] === 0) return;
        return this.#touch(Touch.write, ATTEMPTS, words[ATTEMPTS]! - 1, words[ATTEMPTS]!);
      case FREE_PAGE:
      case FILL_PAGE:
        if (isPublished(this.memory, this.batch, a)) this.#touchPage(a);
        return;
      default:
        changedWords(this.memory, this.batch, this.batch.length - 1, this);
    }
  }

  /** All words of a page that others may see. */
  #touchPage(page: number): void {
    const home = this.memory.homes[page]!;
    for (let address = home; address < home + this.memory.geometry.pageWords; address++) {
      this.#touch(Touch.page, address, this.memory.words[address]!, this.memory.words[address]!);
    }
  }

  /** The MMU's walk to the PTE of `pfn`. */
  #translate(pfn: number): Pte {
    const { memory } = this;
    if (pfn >= memory.layout.areaPfns) return NO_PTE;
    const pmd = this.#see(Touch.walk, memory.layout.pmdBase + (pfn >>> memory.pmdShift));
    return pmd === NO_PTE ? NO_PTE : this.#see(Touch.walk, this.#ptAddress(ptePage(pmd), pfn));
  }

  #ptAddress(ptPage: number, pfn: number): number {
    const { memory } = this;
    return memory.homes[this.#checked(ptPage)]! + ((pfn >>> memory.leafShift) & memory.pteMask);
  }

  #word(page: number, index: number): number {
    return this.#see(Touch.read, this.memory.homes[this.#checked(page)]! + index);
  }

  #see(kind: number, address: number): number {
    const value = this.memory.words[address]!;
    this.#touch(kind, address, value, value);
    return value;
  }

  #touch(kind: number, address: number, old: number, now: number): void {
    this.touches.note(kind, address, old, now);
    const { memory } = this;
    if (address < memory.layout.pagesBase) return;
    const page = 1 + ((address - memory.layout.pagesBase) >>> memory.leafShift);
    if (memory.isFreed(page) && !this.touchedFreed.includes(page)) this.touchedFreed.push(page);
  }

  #checkEvent(kind: number, a: number, b: number): void {
    switch (kind) {
      case SET_ENTRY:
      case SET_PTE:
        this.#checked(b);
        return;
      case FILL_PAGE:
      case FREE_PAGE:
      case SET_MID:
      case SET_MID_MFN:
        this.#checked(a);
        return;
      case SET_GLOBAL:
        if (CHANGING[a] === false) {
          throw usageError('a machine stores a global that only the boot writes', { got: `global ${a}` });
        }
    }
  }

  /** The page, which is one. */
  #checked(page: number): number {
    if (page !== NO_PAGE) return page;
    throw usageError('a machine follows a null pointer', { got: `CPU ${this.cpu}, page 0` });
  }
}

/** Whether a word of shared memory may name `page`: it was there before the batch, or an event of the batch stored it. */
function isPublished(memory: Memory, batch: EventBatch, page: number): boolean {
  const naming = new Naming(page);
  let isOwn = false;
  for (let i = 0; i < batch.length; i++) {
    if (batch.kind[i] === ALLOC_PAGE) isOwn ||= batch.a[i] === page;
    else changedWords(memory, batch, i, naming);
  }
  return naming.found || !isOwn;
}

/** Looks for a word that names a page, as a frame or in a PTE. */
class Naming implements WordSink {
  found = false;
  readonly #page: number;

  constructor(page: number) {
    this.#page = page;
  }

  change(_address: number, _old: number, now: number): void {
    this.found ||= now === this.#page || ptePage(now) === this.#page;
  }
}

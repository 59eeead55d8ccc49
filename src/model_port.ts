import { assert, Global, KINDS, Pattern, Role, type EventBatch, type Word } from '../events/index.js';
import { apply } from './memory/apply.js';
import { ATTEMPTS, EXTRA_MEM, FAIL_AT, FAIL_FROM, GRANTS, GRANT_WORDS, POOL_HEAD } from './memory/layout.js';
import type { Memory } from './memory/memory.js';
import { NO_PAGE, type Pte } from './memory/pte.js';
import { ElemType, elemType } from './p2m/elem_type.js';
import type { Port } from './port.js';

/**
 * The port of a sequentially consistent machine with coherent translations: a mutation is built as an event in place,
 * applied and appended, as one act; a load reads what is there.
 *
 * The seam for TLBs and store buffers is this class (design 2.3): `loadEntry` and `storeEntry` translate through
 * `memory`, always the current page tables; a port that translates through what CPU n still remembers, or that holds its
 * stores back, overrides them and `setPte` / `setPmd`, and brings agents of its own that evict and drain.
 */
export class ModelPort implements Port {
  readonly cpu: number;
  readonly memory: Memory;
  /** Where events go. Whoever owns it hands it on and clears it between steps. */
  readonly batch: EventBatch;
  /** Number of the operation that events belong to. */
  op = 0;
  /** Whether calls and returns are left out of the events, where nobody keeps them: then nobody calls `called` and `returned`. */
  quiet = false;
  /** Pages that a reader of the list found (`emit`). */
  readonly emitted: number[] = [];

  constructor(memory: Memory, batch: EventBatch, cpu = 0) {
    assert(
      cpu >= 0 && cpu < memory.layout.cpus,
      `the memory was laid out for ${memory.layout.cpus} CPUs, not for CPU ${cpu}`,
    );
    this.memory = memory;
    this.batch = batch;
    this.cpu = cpu;
  }

  /** Builds the event, applies it and appends it. */
  protected event(kind: number, a = 0, b = 0, c = 0, d = 0, e = 0): void {
    apply(this.memory, this.batch, this.batch.push(kind, this.cpu, this.op, a, b, c, d, e));
  }

  global(index: number): number {
    return this.memory.words[index]!;
  }

  setGlobal(index: number, value: number): void {
    this.event(KINDS.set_global.id, index, this.memory.words[index], value);
  }

  loadEntry(pfn: number): Word {
    return this.memory.loadEntry(pfn);
  }

  storeEntry(pfn: number, value: Word): boolean {
    const page = this.memory.storePage(pfn);
    if (page === NO_PAGE) return false;
    this.storeLeaf(page, pfn, value);
    return true;
  }

  walk(pfn: number): number {
    return this.memory.ptPageOf(pfn);
  }

  loadPte(ptPage: number, pfn: number): Pte {
    return this.memory.loadPte(ptPage, pfn);
  }

  setPte(ptPage: number, pfn: number, pte: Pte): void {
    this.event(KINDS.set_pte.id, pfn, ptPage, this.memory.loadPte(ptPage, pfn), pte);
  }

  setPmd(pfn: number, pte: Pte): void {
    const { memory } = this;
    const old = memory.words[memory.layout.pmdBase + (pfn >>> memory.pmdShift)]!;
    this.event(KINDS.set_pmd.id, pfn, old, pte);
  }

  allocPage(role: number): number {
    const { words, layout } = this.memory;
    const attempt = words[ATTEMPTS]! + 1;
    const armed = words[Global.slab_is_available] !== 0;
    const from = words[FAIL_FROM]!;
    if (armed && (attempt === words[FAIL_AT] || (from !== 0 && attempt >= from))) {
      this.event(KINDS.alloc_failed.id, role);
      return NO_PAGE;
    }
    const pool = this.memory.poolOf(this.cpu);
    const page = words[POOL_HEAD + pool]!;
    const end = this.memory.poolStart(pool) + layout.pagesPerPool;
    assert(page < end, `all ${layout.pagesPerPool} pages of pool ${pool} are used (Capacity.sparePages)`);
    this.event(KINDS.alloc_page.id, page, role);
    return page;
  }

  freePage(page: number): void {
    assert(!this.memory.isFreed(page), `page ${page} is freed twice`);
    this.event(KINDS.free_page.id, page, this.memory.role(page));
  }

  fillInvalid(page: number): void {
    // The builder's list: the one page that is filled while it holds something.
    if (this.memory.role(page) === Role.init) this.wipePage(page);
    else this.event(KINDS.fill_page.id, page, Pattern.invalid);
  }

  /** All words of a page in use become INVALID. */
  wipePage(page: number): void {
    const { memory } = this;
    const home = memory.homes[page]!;
    const old = memory.words.slice(home, home + memory.geometry.pageWords);
    this.event(KINDS.wipe_page.id, page, this.batch.pushPayload(memory.codec.runsOf(old)));
  }

  fillIdentity(page: number, pfnBase: number): void {
    this.event(KINDS.fill_page.id, page, Pattern.identity, pfnBase);
  }

  fillFrame(page: number, frame: number): void {
    this.event(KINDS.fill_page.id, page, Pattern.frame, frame);
  }

  fillPte(page: number, pte: Pte): void {
    this.event(KINDS.fill_page.id, page, Pattern.pte, pte);
  }

  copyPage(page: number, source: number): void {
    this.event(KINDS.fill_page.id, page, Pattern.copy, source);
  }

  announcePage(page: number): void {
    this.event(KINDS.announce_page.id, page);
  }

  retractPage(page: number): void {
    this.event(KINDS.retract_page.id, page);
  }

  lock(): boolean {
    if (this.memory.words[Global.p2m_update_lock] !== 0) return false;
    this.event(KINDS.lock.id);
    return true;
  }

  unlock(): void {
    this.event(KINDS.unlock.id);
  }

  loadTopMfn(index: number): number {
    return this.memory.loadWord(this.memory.words[Global.p2m_top_mfn]!, index);
  }

  casTopMfn(index: number, expected: number, value: number): number {
    const found = this.loadTopMfn(index);
    this.event(KINDS.set_top_mfn.id, index, expected, found, value);
    return found;
  }

  setTopMfn(index: number, value: number): void {
    this.casTopMfn(index, this.loadTopMfn(index), value);
  }

  loadTopMfnP(index: number): number {
    return this.memory.loadWord(this.memory.words[Global.p2m_top_mfn_p]!, index);
  }

  setTopMfnP(index: number, value: number): void {
    this.event(KINDS.set_top_mfn_p.id, index, this.loadTopMfnP(index), value);
  }

  loadMid(page: number, index: number): number {
    return this.memory.loadWord(page, index);
  }

  setMidMfn(page: number, index: number, value: number): void {
    this.event(KINDS.set_mid_mfn.id, page, index, this.loadMid(page, index), value);
  }

  loadTop(index: number): number {
    return this.memory.loadWord(this.memory.words[Global.p2m_top]!, index);
  }

  casTop(index: number, expected: number, value: number): number {
    const found = this.loadTop(index);
    this.event(KINDS.set_top.id, index, expected, found, value);
    return found;
  }

  casMid(page: number, index: number, expected: number, value: number): number {
    const found = this.loadMid(page, index);
    this.event(KINDS.set_mid.id, page, index, expected, found, value);
    return found;
  }

  loadLeaf(page: number, pfn: number): Word {
    return this.memory.loadEntryOf(page, pfn);
  }

  storeLeaf(page: number, pfn: number, value: Word): void {
    this.event(KINDS.set_entry.id, pfn, page, this.memory.loadEntryOf(page, pfn), value);
  }

  bumpGeneration(): void {
    this.setGeneration(this.#generation() + 1);
  }

  setGeneration(value: number): void {
    this.event(KINDS.set_generation.id, this.#info(), this.#generation(), value);
  }

  setMaxPfn(value: number): void {
    const info = this.#info();
    const old = this.global(info === 0 ? Global['dummy.max_pfn'] : Global['shared_info.max_pfn']);
    this.event(KINDS.set_max_pfn.id, info, old, value);
  }

  loadM2p(mfn: number): number {
    return this.memory.words[this.memory.layout.m2pBase + mfn]!;
  }

  setM2p(mfn: number, pfnPlusOne: number): void {
    this.event(KINDS.set_m2p.id, mfn, this.loadM2p(mfn), pfnPlusOne);
  }

  loadOverride(mfn: number): number {
    return this.memory.words[this.memory.layout.overrideBase + mfn]!;
  }

  setOverride(mfn: number, pfnPlusOne: number): void {
    this.event(KINDS.set_override.id, mfn, this.loadOverride(mfn), pfnPlusOne);
  }

  loadGrant(slot: number, field: number): number {
    return this.memory.words[GRANTS + slot * GRANT_WORDS + field]!;
  }

  setGrant(slot: number, field: number, value: number): void {
    this.event(KINDS.set_grant.id, slot, field, this.loadGrant(slot, field), value);
  }

  populatePmd(pfn: number): number {
    const page = this.memory.words[POOL_HEAD + this.memory.poolOf(this.cpu)]!;
    this.event(KINDS.populate_pmd.id, pfn, page);
    return page;
  }

  areaPtPage(pfn: number): number {
    return this.memory.linkedPtPage(pfn);
  }

  firstOfOtherType(pfn: number, pfnEnd: number): number {
    const { memory } = this;
    const type = elemType(memory, pfn);
    const listed = Math.min(pfnEnd, memory.words[Global.xen_p2m_size]!);
    let next = pfn + 1;
    while (next < listed && elemType(memory, next) === type) next++;
    // Above the list all is identity.
    return next >= listed && type === ElemType.identity ? pfnEnd : next;
  }

  firstReadOnly(pfn: number, pfnEnd: number): number {
    const { perPage } = this.memory.geometry;
    for (let next = pfn; next < pfnEnd; next = (Math.floor(next / perPage) + 1) * perPage) {
      if (this.memory.storePage(next) === NO_PAGE) return next;
    }
    return pfnEnd;
  }

  setIdentity(pfnStart: number, pfnEnd: number): void {
    const runs = oldRuns(this.memory, pfnStart, pfnEnd);
    this.event(KINDS.identity_range.id, pfnStart, pfnEnd, this.batch.pushPayload(runs));
  }

  /** A dump's words for the private leaf of `pfn`, from `pfn` on: they replace INVALID. */
  loadEntries(pfn: number, words: Int32Array): void {
    this.event(KINDS.load_entries.id, pfn, this.batch.pushPayload(this.memory.codec.runsOf(words)));
  }

  extraMemStart(index: number): number {
    return this.memory.words[EXTRA_MEM + 2 * index]!;
  }

  extraMemCount(index: number): number {
    return this.memory.words[EXTRA_MEM + 2 * index + 1]!;
  }

  emit(page: number): void {
    this.emitted.push(page);
  }

  /** Operations that begin on this CPU from here on are of the task. */
  task(pid: number, [a, b, c, d]: readonly number[]): void {
    this.event(KINDS.task.id, pid, a, b, c, d);
  }

  /** When the operation whose call follows began, and in which kernel function. */
  origin(clock: number, time: number, around: number, line: number): void {
    this.event(KINDS.origin.id, clock, time | 0, Math.floor(time / 2 ** 32), around, line);
  }

  /** Operation `op` begins on this CPU: what follows belongs to it. */
  called(op: number, operation: number, pfn: number, value: Word, origin: number): void {
    this.op = op;
    this.event(KINDS.call.id, operation, pfn | 0, Math.floor(pfn / 2 ** 32), value, origin);
  }

  /** The operation in hand has ended. */
  returned(operation: number, result: number, value: number): void {
    this.event(KINDS.return.id, operation, result, value);
    this.op = 0;
  }

  /** A look-up saw the word, which is logged. */
  looked(pfn: number, word: Word): void {
    this.event(KINDS.look_up.id, pfn | 0, Math.floor(pfn / 2 ** 32), word);
  }

  bug(bug: number, pfn: number): void {
    this.event(KINDS.bug.id, bug, pfn | 0, Math.floor(pfn / 2 ** 32));
  }

  warn(warning: number, pfn: number): void {
    this.event(KINDS.warn.id, warning, pfn | 0, Math.floor(pfn / 2 ** 32));
  }

  fault(access: number, pfn: number): void {
    this.event(KINDS.fault.id, access, pfn | 0, Math.floor(pfn / 2 ** 32));
  }

  #info(): number {
    return this.memory.words[Global.HYPERVISOR_shared_info]!;
  }

  #generation(): number {
    return this.global(this.#info() === 0 ? Global['dummy.p2m_generation'] : Global['shared_info.p2m_generation']);
  }
}

/** What [pfnStart, pfnEnd) holds, as runs. */
function oldRuns(memory: Memory, pfnStart: number, pfnEnd: number): number[] {
  const words = new Int32Array(pfnEnd - pfnStart);
  for (let pfn = pfnStart; pfn < pfnEnd;) {
    const end = Math.min(pfnEnd, (pfn | memory.leafMask) + 1);
    const address = memory.entryAddress(pfn);
    words.set(memory.words.subarray(address, address + end - pfn), pfn - pfnStart);
    pfn = end;
  }
  return memory.codec.runsOf(words);
}

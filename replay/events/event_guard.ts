import { FAULT, Global, GLOBALS, KINDS, Pattern, Role, ROLES, type EventBatch } from '../../events/index.js';
import {
  EXTRA_MEM_MAX,
  GRANTS_MAX,
  LIST_AREA,
  LIST_BUILDER,
  NO_PTE,
  POOL_HEAD,
  ptePage,
  type Memory,
} from '../../src/index.js';

const CALL = KINDS.call.id;
const RETURN = KINDS.return.id;
const LOOK_UP = KINDS.look_up.id;
const BUG = KINDS.bug.id;
const WARN = KINDS.warn.id;
const FAULTED = KINDS.fault.id;
const ALLOC_PAGE = KINDS.alloc_page.id;
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
const SET_TOP = KINDS.set_top.id;
const SET_MID = KINDS.set_mid.id;
const SET_M2P = KINDS.set_m2p.id;
const SET_OVERRIDE = KINDS.set_override.id;
const SET_GRANT = KINDS.set_grant.id;
const SET_EXTRA_MEM = KINDS.set_extra_mem.id;

/** Roles as bits: which pages a kind of event may name. */
const bits = (...roles: readonly number[]): number => roles.reduce((set, role) => set | (1 << role), 0);
const LEAVES = bits(Role.init, Role.leaf, Role.missing, Role.identity);
const PT_PAGES = bits(Role.pte, Role.missing_pte, Role.identity_pte);
const MID_PAGES = bits(Role.mid, Role.mid_missing);
const TREE_MID_PAGES = bits(Role.tree_mid, Role.tree_mid_missing, Role.tree_mid_identity);
const TREE_TOP = bits(Role.tree_top);
const TOOLS_PAGES = bits(Role.top_mfn, Role.top_mfn_p) | MID_PAGES;
const TOP_MFN = bits(Role.top_mfn);
const TOP_MFN_P = bits(Role.top_mfn_p);
const ANY = ~bits(Role.none);

/** What a tools' mid page may name that is no page (B1). */
const NOT_A_FRAME = -1;
/** Grant slots have seven words in use. */
const GRANT_FIELDS = 7;
const GRANT_ENTRY = 5;

/** Whether a page of that role may be named as a leaf. */
export function isLeafRole(role: number): boolean {
  return ((LEAVES >>> (role & 31)) & 1) !== 0;
}

/** Told what is wrong with an event. */
export type Refuse = (what: string, got: string, expected: string) => never;

/** Numbers that operands must be below. */
export interface GuardBounds {
  readonly cpus: number;
  readonly pfnEnd: number;
  /** Of upper halves of pfns. */
  readonly pfnUpperEnd: number;
  readonly pageEnd: number;
}

/**
 * Whether an event of somebody's log stays within the memory it is to be applied to: `apply` trusts its operands, for the
 * engine makes them. Every address that an event leads to is within the page, table or slot that its kind writes; every
 * page number that it stores leads to a page of the right role; so whoever reads the memory afterwards stays within it too.
 * That memory held what the event says it overwrites is checked by `apply`.
 *
 * Pages are not given back: what was a leaf once is one for ever, freed or not, so nothing here can go stale.
 */
export class EventGuard {
  readonly #m: Memory;
  readonly #refuse: Refuse;
  readonly #cpus: number;
  readonly #pageEnd: number;
  readonly #areaPfns: number;
  /** Pfns that a store can reach are below this: the linear list's, or the tree's. */
  readonly #pfnEnd: number;
  /** Upper halves of pfns are below this. */
  readonly #pfnUpperEnd: number;
  /** Entries of the builder's list, in whole pages. */
  readonly #initPfns: number;
  /** Pages that hold something: a table that was never filled names page 0. */
  readonly #filled: Uint8Array;

  constructor(memory: Memory, isTree: boolean, refuse: Refuse) {
    const { layout, geometry } = memory;
    this.#m = memory;
    this.#refuse = refuse;
    this.#cpus = layout.cpus;
    this.#pageEnd = layout.pageEnd;
    this.#areaPfns = layout.areaPfns;
    this.#pfnEnd = isTree ? Math.max(layout.areaPfns, geometry.maxP2mPfn) : layout.areaPfns;
    this.#pfnUpperEnd = geometry.pfnEnd / 2 ** 32;
    this.#initPfns = layout.initPages * geometry.perPage;
    this.#filled = new Uint8Array(layout.pageEnd);
  }

  /** Whether the page was filled before. */
  isFilled(page: number): boolean {
    return this.#filled[page] !== 0;
  }

  /** The memory was put back to another moment; then the page was filled before, or not. */
  noteFilled(page: number, filled: boolean): void {
    this.#filled[page] = filled ? 1 : 0;
  }

  /** What `check` holds the operands of the commonest kinds to. */
  get bounds(): GuardBounds {
    return { cpus: this.#cpus, pfnEnd: this.#pfnEnd, pfnUpperEnd: this.#pfnUpperEnd, pageEnd: this.#pageEnd };
  }

  /** Returns where event `i` may be applied; calls `refuse` where not. Its columns hold what their fields can. */
  check(batch: EventBatch, i: number): void {
    this.#below(batch.cpu[i]!, this.#cpus, 'cpu');
    const a = batch.a[i]!;
    const b = batch.b[i]!;
    const c = batch.c[i]!;
    const d = batch.d[i]!;
    const g = this.#m.geometry;
    switch (batch.kind[i]) {
      case SET_ENTRY:
        this.#below(a, this.#pfnEnd, 'pfn');
        this.#page(b, LEAVES, 'page');
        return this.#entry(d);
      case RETURN:
        return;
      case CALL:
      case BUG:
      case WARN:
      case FAULTED:
        return this.#pfn64(b, c);
      case LOOK_UP:
        return this.#pfn64(a, b);
      case SET_PTE:
        this.#below(a, this.#areaPfns, 'pfn');
        this.#page(b, PT_PAGES, 'page');
        return this.#pte(d, LEAVES);
      case SET_PMD:
        this.#below(a, this.#areaPfns, 'pfn');
        return this.#pte(c, PT_PAGES);
      case FILL_PAGE:
        return this.#fill(a, b, c);
      case ALLOC_PAGE:
        if (b === Role.none) this.#refuse('bad role', 'none', 'what the page is for');
        return this.#fresh(a, batch.cpu[i]!);
      case POPULATE_PMD:
        this.#below(a, this.#areaPfns, 'pfn');
        return this.#fresh(b, batch.cpu[i]!);
      case FREE_PAGE:
        return this.#free(a, b);
      case SET_GLOBAL:
        return this.#global(a, c);
      case SET_TOP_MFN:
        return this.#slot(Global.p2m_top_mfn, TOP_MFN, a, d);
      case SET_TOP_MFN_P:
        return this.#slot(Global.p2m_top_mfn_p, TOP_MFN_P, a, c);
      case SET_MID_MFN:
        this.#page(a, MID_PAGES, 'page');
        this.#below(b, g.midPerPage, 'index');
        return this.#frame(d);
      case SET_TOP:
        this.#slot(Global.p2m_top, TREE_TOP, a, d);
        return this.#filledPage(d, TREE_MID_PAGES, 'new');
      case SET_MID:
        this.#page(a, TREE_MID_PAGES, 'page');
        this.#below(b, g.midPerPage, 'index');
        return this.#page(batch.e[i]!, LEAVES, 'new');
      case SET_MAX_PFN:
      case SET_GENERATION:
        return this.#below(a, 2, 'info');
      case SET_M2P:
      case SET_OVERRIDE:
        return this.#below(a, this.#m.layout.m2pFrames, 'mfn');
      case SET_GRANT:
        this.#below(a, GRANTS_MAX, 'slot');
        this.#below(b, GRANT_FIELDS, 'field');
        return b === GRANT_ENTRY ? this.#entry(d) : undefined;
      case SET_EXTRA_MEM:
        return this.#below(a, EXTRA_MEM_MAX, 'index');
      case IDENTITY_RANGE:
        return this.#identityRange(a, b, countOf(batch.payloadAt(c)));
      case LOAD_ENTRIES:
        return this.#atMost(a + countOf(batch.payloadAt(b)), this.#listEnd(), 'end of the entries');
      case BOOT:
        return this.#boot(a, countOf(batch.payloadAt(b)));
      case WIPE_PAGE:
        this.#page(a, LEAVES, 'page');
        return this.#atMost(countOf(batch.payloadAt(b)), g.pageWords, 'number of entries');
      default:
    }
  }

  #below(value: number, end: number, what: string): void {
    if (value < 0 || value >= end) this.#refuse(`bad ${what}`, String(value), `below ${end}`);
  }

  #atMost(value: number, max: number, what: string): void {
    if (value > max) this.#refuse(`bad ${what}`, String(value), `at most ${max}`);
  }

  /** A page that is in use as one of `roles`. */
  #page(page: number, roles: number, what: string): void {
    if (page >= 0 && page < this.#pageEnd && ((roles >>> (this.#m.roles[page]! & 31)) & 1) !== 0) return;
    const role = page >= 0 && page < this.#pageEnd ? ROLES[this.#m.role(page)]! : undefined;
    const wanted = ROLES.filter((_, r) => ((roles >>> r) & 1) !== 0).join(', ');
    const got = `page ${page}${role === undefined ? '' : ` (${role})`}`;
    this.#refuse(`bad ${what}`, got, `a page below ${this.#pageEnd}: ${wanted}`);
  }

  /** As `#page`, and it was filled. */
  #filledPage(page: number, roles: number, what: string): void {
    this.#page(page, roles, what);
    if (this.#filled[page] === 0) this.#refuse(`bad ${what}`, `page ${page}`, 'a page that was filled');
  }

  #pte(pte: number, roles: number): void {
    if (pte !== NO_PTE) this.#page(ptePage(pte), roles, 'new');
  }

  /** A page number in a table that nobody walks, or what stands for none. */
  #frame(frame: number): void {
    if (frame !== NOT_A_FRAME) this.#below(frame, this.#pageEnd, 'new');
  }

  #entry(word: number): void {
    if (word === FAULT) this.#refuse('bad new', 'fault', 'an entry: a fault is never stored');
  }

  #pfn64(lower: number, upper: number): void {
    if (upper < this.#pfnUpperEnd) return;
    const { pfnEnd, name } = this.#m.geometry;
    this.#refuse('bad pfn', String(upper * 2 ** 32 + (lower >>> 0)), `below ${pfnEnd} on ${name}`);
  }

  /** The next page of the pool of `cpu`. */
  #fresh(page: number, cpu: number): void {
    const pool = this.#m.poolOf(cpu);
    const next = this.#m.words[POOL_HEAD + pool]!;
    const end = this.#m.poolStart(pool) + this.#m.layout.pagesPerPool;
    if (page !== next || page >= end) this.#refuse('bad page', String(page), `${next}, below ${end}`);
  }

  #free(page: number, role: number): void {
    this.#page(page, ANY, 'page');
    if (this.#m.role(page) !== role) {
      this.#refuse('bad role', ROLES[role]!, `${ROLES[this.#m.role(page)]!}, which page ${page} is`);
    }
    if (this.#m.isFreed(page)) this.#refuse('bad page', `page ${page}`, 'a page that is not freed yet');
  }

  #fill(page: number, pattern: number, value: number): void {
    this.#page(page, ANY, 'page');
    const role = 1 << this.#m.role(page);
    this.#page(page, rolesOf(pattern), 'page');
    if (pattern === Pattern.identity && value < 0) this.#refuse('bad value', String(value), 'a pfn');
    if (pattern === Pattern.pte) this.#pte(value, LEAVES);
    if (pattern === Pattern.copy) this.#page(value, (role & PT_PAGES) !== 0 ? PT_PAGES : LEAVES, 'value');
    if (pattern === Pattern.frame) {
      if ((role & TREE_TOP) !== 0) this.#filledPage(value, TREE_MID_PAGES, 'value');
      else if ((role & TREE_MID_PAGES) !== 0) this.#page(value, LEAVES, 'value');
      else this.#frame(value);
    }
    this.#filled[page] = 1;
  }

  /** Slot `index` of the top page that a global names. */
  #slot(global: number, roles: number, index: number, now: number): void {
    this.#page(this.#m.words[global]!, roles, GLOBALS[global]!);
    this.#below(index, this.#m.geometry.topPerPage, 'index');
    this.#below(now, this.#pageEnd, 'new');
  }

  #global(global: number, now: number): void {
    const { words, layout } = this.#m;
    switch (global) {
      case Global.none:
        return this.#refuse('bad global', 'none', 'the name of one');
      case Global.xen_p2m_addr:
        this.#below(now, LIST_AREA + 1, 'new');
        if (now === LIST_BUILDER) this.#atMost(words[Global.xen_p2m_size]!, this.#initPfns, 'xen_p2m_size');
        return;
      case Global.xen_p2m_size:
        return this.#below(now, this.#listEnd() + 1, 'new');
      case Global.p2m_top:
        return now === 0 ? undefined : this.#filledPage(now, TREE_TOP, 'new');
      case Global.p2m_missing:
      case Global.p2m_identity:
      case Global.p2m_missing_pte:
      case Global.p2m_identity_pte:
      case Global.p2m_top_mfn:
      case Global.p2m_top_mfn_p:
      case Global.p2m_mid_missing_mfn:
      case Global.p2m_mid_missing:
      case Global.p2m_mid_identity:
        return this.#below(now, this.#pageEnd, 'new');
      case Global.HYPERVISOR_shared_info:
        return this.#below(now, 2, 'new');
      case Global.xen_extra_mem_count:
        return this.#below(now, EXTRA_MEM_MAX + 1, 'new');
      case Global.machine_to_phys_nr:
        return this.#below(now, layout.m2pFrames + 1, 'new');
      default:
    }
  }

  /** Entries of the list that xen_p2m_addr names. */
  #listEnd(): number {
    return this.#m.words[Global.xen_p2m_addr] === LIST_BUILDER ? this.#initPfns : this.#areaPfns;
  }

  #identityRange(pfnStart: number, pfnEnd: number, count: number): void {
    this.#atMost(pfnStart, pfnEnd, 'pfnStart');
    this.#atMost(pfnEnd, this.#listEnd(), 'pfnEnd');
    if (count !== pfnEnd - pfnStart) {
      this.#refuse('bad old', `${count} entries`, `${pfnEnd - pfnStart}, as many as the range has`);
    }
  }

  /** The builder's list is one stretch of words until its first page is linked elsewhere. */
  #boot(nrPages: number, count: number): void {
    const { homes, layout, geometry } = this.#m;
    this.#atMost(count, this.#initPfns, 'number of entries');
    this.#atMost(nrPages, count, 'nrPages');
    for (let page = 1; page <= layout.initPages; page++) {
      if (homes[page] !== layout.pagesBase + (page - 1) * geometry.pageWords) {
        this.#refuse('a second boot', `page ${page} is linked`, 'the first event of a list');
      }
    }
  }
}

/** Roles of the pages that a pattern may fill. */
function rolesOf(pattern: number): number {
  switch (pattern) {
    case Pattern.invalid:
    case Pattern.identity:
      return LEAVES;
    case Pattern.frame:
      return TOOLS_PAGES | TREE_MID_PAGES | TREE_TOP;
    case Pattern.pte:
      return PT_PAGES;
    default:
      return PT_PAGES | LEAVES;
  }
}

/** Entries that runs `[count, word, stride]` stand for. */
function countOf(runs: Int32Array): number {
  let count = 0;
  for (let r = 0; r < runs.length; r += 3) count += runs[r]!;
  return count;
}

import { Global, GLOBALS, KINDS, Role, ROLES } from '../../events/index.js';
import { ATTEMPTS, NO_PAGE, POOL_HEAD, ptePage, type Domain, type Memory } from '../../src/index.js';

/** What pages of one role hold. */
type Content = 'entries' | 'ptes' | 'frames';

/** By role: how a page is called, and what its words are; a role of which there are many is numbered. */
const PAGES: Readonly<Record<string, readonly [name: string, content: Content]>> = {
  init: ['init', 'entries'],
  leaf: ['leaf', 'entries'],
  pte: ['pte', 'ptes'],
  mid: ['mid', 'frames'],
  tree_mid: ['tree_mid', 'frames'],
  missing: ['p2m_missing', 'entries'],
  identity: ['p2m_identity', 'entries'],
  missing_pte: ['p2m_missing_pte', 'ptes'],
  identity_pte: ['p2m_identity_pte', 'ptes'],
  mid_missing: ['mid_missing', 'frames'],
  top_mfn: ['p2m_top_mfn', 'frames'],
  top_mfn_p: ['p2m_top_mfn_p', 'frames'],
  tree_top: ['p2m_top', 'frames'],
  tree_mid_missing: ['p2m_mid_missing', 'frames'],
  tree_mid_identity: ['p2m_mid_identity', 'frames'],
};

/** What a page of the role is called; undefined where the name says no more than that it is a page. */
export function roleWord(role: number): string | undefined {
  return PAGES[ROLES[role]!]?.[0];
}

/** Roles of which there are many pages. */
export const MANY: readonly number[] = [Role.leaf, Role.pte, Role.mid, Role.tree_mid];

const PLACED: readonly number[] = [
  Role.leaf,
  Role.pte,
  Role.missing,
  Role.identity,
  Role.missing_pte,
  Role.identity_pte,
];

/**
 * Words and pages in the field's words, for reports: entries as the codec writes them, what names a page by the page's
 * name. A private page is numbered by the order of allocation, from 1: `leaf#2` is the second leaf of the run, `boot
 * leaf#2` that of the boot.
 */
export class WordNames {
  readonly #domain: Domain;
  readonly #memory: Memory;

  constructor(domain: Domain) {
    this.#domain = domain;
    this.#memory = domain.memory;
  }

  /** `old` and what it became at `address`; one text where it was read. A page that is freed is named. */
  change(address: number, old: number, now: number): string {
    const to = this.value(address, now);
    return `${this.#prefix(address)}${old === now ? to : `${this.value(address, old)} -> ${to}`}${this.#inFreed(address)}`;
  }

  /** What `word` means at `address`. */
  value(address: number, word: number): string {
    const { layout, codec } = this.#memory;
    if (address === Global.p2m_update_lock) return word === 0 ? 'free' : 'taken';
    if (address >= layout.pmdBase && address < layout.pmdBase + layout.pmdCount) return this.page(ptePage(word));
    if (address < layout.pagesBase) return String(word);
    switch (this.#contentOf(this.pageAt(address))) {
      case 'entries':
        return codec.format(word);
      case 'ptes':
        return this.page(ptePage(word));
      case 'frames':
        return this.page(word);
      case undefined:
        return String(word);
    }
  }

  /** The page whose words `address` is one of. */
  pageAt(address: number): number {
    return 1 + ((address - this.#memory.layout.pagesBase) >>> this.#memory.leafShift);
  }

  /** What a page is called. */
  page(page: number): string {
    if (page === NO_PAGE) return 'none';
    const role = this.#memory.role(page);
    const name = roleWord(role) ?? `page ${page}`;
    const freed = this.#memory.isFreed(page) ? ' (freed)' : '';
    if (role === Role.init) return `${name}#${page}${freed}`;
    return `${MANY.includes(role) ? this.#numbered(page, role, name) : name}${freed}`;
  }

  #numbered(page: number, role: number, name: string): string {
    const { batch } = this.#domain;
    let rank = 0;
    for (let i = 0; i < batch.length; i++) {
      if (batch.kind[i] !== KINDS.alloc_page.id || batch.b[i] !== role) continue;
      rank++;
      if (batch.a[i] === page) return `${name}#${rank}`;
    }
    return `boot ${name}#${this.#bootRank(page, role)}`;
  }

  /** Only the first CPU allocates at boot, and its pages are numbered as they are taken. */
  #bootRank(page: number, role: number): number {
    let rank = 0;
    for (let other = this.#memory.poolStart(0); other <= page; other++) {
      if (this.#memory.role(other) === role) rank++;
    }
    return rank;
  }

  #contentOf(page: number): Content | undefined {
    return PAGES[ROLES[this.#memory.role(page)]!]?.[1];
  }

  #inFreed(address: number): string {
    if (address < this.#memory.layout.pagesBase) return '';
    const page = this.pageAt(address);
    return this.#memory.isFreed(page) ? ` in ${this.page(page)}` : '';
  }

  /** Page and index, where the row's text does not name the page: which leaf or PT page it is decides many a race. */
  #place(address: number): string {
    const page = this.pageAt(address);
    const role = this.#memory.role(page);
    if (!PLACED.includes(role) || this.#memory.isFreed(page)) return '';
    const { layout, leafMask } = this.#memory;
    return `${this.page(page)}[${(address - layout.pagesBase) & leafMask}] `;
  }

  #prefix(address: number): string {
    if (address === Global.p2m_update_lock) return '';
    if (address === ATTEMPTS) return 'attempts to allocate ';
    if (address >= this.#memory.layout.pagesBase) return this.#place(address);
    return address < POOL_HEAD ? `${GLOBALS[address] ?? `global ${address}`} ` : '';
  }
}

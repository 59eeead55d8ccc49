import { KINDS, Role, type EventBatch, type EventsHeader } from '../../events/index.js';
import { geometryByName } from '../../src/index.js';

const ALLOC_PAGE = KINDS.alloc_page.id;
const POPULATE_PMD = KINDS.populate_pmd.id;

/** A page that is given out, and what for. */
export interface GrantedPage {
  readonly page: number;
  readonly role: number;
}

/** The page that event `i` gives out; undefined: none. */
export function grantedPage(batch: EventBatch, i: number): GrantedPage | undefined {
  const kind = batch.kind[i];
  if (kind === ALLOC_PAGE) return { page: batch.a[i]!, role: batch.b[i]! };
  return kind === POPULATE_PMD ? { page: batch.b[i]!, role: Role.pte } : undefined;
}

/** What each page was given out for, told event by event: pages are never recycled, so it stays true of the whole log. */
export class PageRoles {
  #roles = new Uint8Array(1024);

  /** @throws {P2mError} the geometry of the header is none */
  constructor(header: EventsHeader) {
    const pages = Math.ceil((header.capacity?.nrPages ?? 0) / geometryByName(header.geometry).perPage);
    for (let page = 1; page <= pages; page++) this.#set(page, Role.init);
  }

  /** Takes note of event `i`. */
  note(batch: EventBatch, i: number): void {
    const granted = grantedPage(batch, i);
    if (granted !== undefined) this.grant(granted);
  }

  /** An event gives the page out. */
  grant({ page, role }: GrantedPage): void {
    this.#set(page, role);
  }

  /** What the page was given out for, `Role.none` where no event so far says. */
  of(page: number): number {
    return this.#roles[page] ?? Role.none;
  }

  #set(page: number, role: number): void {
    if (page >= this.#roles.length) {
      const larger = new Uint8Array(Math.max(page + 1, this.#roles.length * 2));
      larger.set(this.#roles);
      this.#roles = larger;
    }
    this.#roles[page] = role;
  }
}

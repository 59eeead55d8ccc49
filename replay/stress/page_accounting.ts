import { Global, KINDS, kindName, NAMES, type EventBatch } from '../../events/index.js';
import { NO_PAGE, type Memory } from '../../src/index.js';
import { ListTables } from '../scenario/checks/list_tables.js';
import { isBootOperation, OpenCalls, type CutOperation } from './open_calls.js';

const ALLOC_PAGE = KINDS.alloc_page.id;
const NO_OP = 0;
const CPUS = 256;

/** Where the pages of one role are that the operations of a round took. */
export interface PageAccount {
  /** What they were taken for. */
  readonly role: string;
  /** `taken = linked + freed + held + lost`. */
  readonly taken: number;
  /** The list or the tools' tree names them. */
  readonly linked: number;
  readonly freed: number;
  /** In the hands of operations that were cut. */
  readonly held: number;
  /** Nobody's. */
  readonly lost: number;
}

/** A page that nobody has. */
export interface LostPage {
  readonly page: number;
  readonly role: string;
  /** The operation that took it. */
  readonly op: number;
}

/** Calls of one operation. */
export interface CallAccount {
  readonly operation: string;
  /** `calls = returns + cut`. */
  readonly calls: number;
  readonly returns: number;
  /** Without a return. */
  readonly cut: number;
}

/** Events of one kind. */
export interface EventAccount {
  readonly kind: string;
  readonly events: number;
  /** By CPU. */
  readonly byCpu: readonly number[];
}

/** What adds up, and what does not. */
export interface RoundAccounts {
  readonly events: number;
  readonly kinds: readonly EventAccount[];
  /** Operations of threads; the boot's are not among them. */
  readonly calls: readonly CallAccount[];
  /** Operations that are in the middle for good, as they were called. */
  readonly cut: readonly CutOperation[];
  readonly pages: readonly PageAccount[];
  /** The first pages that nobody has, `LOST_MAX` at most. */
  readonly lost: readonly LostPage[];
  /** Pages that were freed, and are named all the same. */
  readonly freedAndLinked: number;
  /** What does not add up, in words. */
  readonly wrong: readonly string[];
}

const LOST_MAX = 20;

/**
 * Keeps the books of a round over its log: every event by kind and CPU, every call with its return, every page that operations
 * take until it is linked, freed, or in the hands of an operation that was cut. No object an event.
 */
export class RoundBooks {
  readonly #calls = new OpenCalls();
  readonly #memory: Memory;
  readonly #counts = new Float64Array(256 * CPUS);
  /** By page: the operation that took it, 0 for none and for the boot. */
  readonly #takers: Int32Array;
  #events = 0;

  /** @param memory that the events are played into: at the end it must have taken all of them */
  constructor(memory: Memory) {
    this.#memory = memory;
    this.#takers = new Int32Array(memory.layout.pageEnd);
  }

  /** The operations in hand. */
  get calls(): OpenCalls {
    return this.#calls;
  }

  /** Takes event `i`. Calls and returns are told to `calls` as well, by whoever goes through. */
  note(batch: EventBatch, i: number): void {
    const kind = batch.kind[i]!;
    this.#counts[kind * CPUS + batch.cpu[i]!]!++;
    this.#events++;
    if (kind === ALLOC_PAGE) this.#took(batch, i);
  }

  /** No more events: the memory has taken all of them. */
  finish(): RoundAccounts {
    this.#calls.finish();
    const kinds = this.#kinds();
    const calls = this.#callAccounts();
    const pages = this.#pages();
    return {
      events: this.#events,
      kinds,
      calls,
      cut: this.#calls.cut.filter(({ operation }) => !isBootOperation(NAMES.operation.indexOf(operation as never))),
      ...pages,
      wrong: [...this.#wrongCalls(calls), ...this.#wrongPages(kinds, pages)],
    };
  }

  #took(batch: EventBatch, i: number): void {
    const cpu = batch.cpu[i]!;
    const op = batch.op[i]!;
    if (op === NO_OP || (this.#calls.op[cpu] === op && isBootOperation(this.#calls.operation[cpu]!))) return;
    this.#takers[batch.a[i]!] = op;
  }

  #kinds(): EventAccount[] {
    const accounts: EventAccount[] = [];
    const { cpus } = this.#memory.layout;
    for (let id = 0; id < 256; id++) {
      const byCpu = [...this.#counts.subarray(id * CPUS, id * CPUS + cpus)];
      const events = byCpu.reduce((sum, count) => sum + count, 0);
      if (events > 0) accounts.push({ kind: kindName(id) ?? String(id), events, byCpu });
    }
    return accounts;
  }

  #callAccounts(): CallAccount[] {
    const { calls, returns, cut } = this.#calls;
    return NAMES.operation
      .map((operation, id) => {
        const unended = cut.filter((one) => one.operation === operation && one.end === 'none').length;
        return { operation, calls: calls[id]!, returns: returns[id]!, cut: unended, id };
      })
      .filter((account) => account.calls > 0 && !isBootOperation(account.id))
      .map(({ operation, calls: called, returns: returned, cut: unended }) => ({
        operation,
        calls: called,
        returns: returned,
        cut: unended,
      }));
  }

  #wrongCalls(accounts: readonly CallAccount[]): string[] {
    const wrong = accounts
      .filter(({ calls, returns, cut }) => calls !== returns + cut)
      .map(({ operation, calls, returns, cut }) => `${operation}: ${calls} calls, ${returns} returns and ${cut} cut`);
    const stray = this.#calls.strayReturns;
    return stray === 0 ? wrong : [...wrong, `${stray} returns of operations that were not in hand`];
  }

  #wrongPages(kinds: readonly EventAccount[], { pages, freedAndLinked }: PageSums): string[] {
    const count = (name: string): number => kinds.find(({ kind }) => kind === name)?.events ?? 0;
    const wrong: string[] = [];
    const lost = pages.reduce((sum, page) => sum + page.lost, 0);
    if (lost > 0) wrong.push(`${lost} pages are nobody's: not linked, not freed, in no operation's hands`);
    if (freedAndLinked > 0) wrong.push(`${freedAndLinked} pages are freed and linked`);
    const freed = freedPages(this.#memory);
    if (freed !== count('free_page')) wrong.push(`${count('free_page')} pages were freed, and ${freed} are free`);
    return wrong;
  }

  #pages(): PageSums {
    const memory = this.#memory;
    const named = namedPages(memory);
    const cut = new Set(this.#calls.cut.map(({ op }) => op));
    const accounts = new Map<number, { -readonly [K in keyof PageAccount]: PageAccount[K] }>();
    const lost: LostPage[] = [];
    let freedAndLinked = 0;
    this.#takers.forEach((op, page) => {
      if (op === NO_OP) return;
      const role = memory.role(page);
      const name = NAMES.role[role]!;
      const account = accounts.get(role) ?? { role: name, taken: 0, linked: 0, freed: 0, held: 0, lost: 0 };
      accounts.set(role, account);
      account.taken++;
      if (memory.isFreed(page)) {
        account.freed++;
        if (named[page] === 1) freedAndLinked++;
      } else if (named[page] === 1) account.linked++;
      else if (cut.has(op)) account.held++;
      else {
        account.lost++;
        if (lost.length < LOST_MAX) lost.push({ page, role: name, op });
      }
    });
    return { pages: [...accounts].sort(([a], [b]) => a - b).map(([, account]) => account), lost, freedAndLinked };
  }
}

type PageSums = Pick<RoundAccounts, 'pages' | 'lost' | 'freedAndLinked'>;

function freedPages(memory: Memory): number {
  let freed = 0;
  for (let page = 1; page < memory.layout.pageEnd; page++) if (memory.isFreed(page)) freed++;
  return freed;
}

/** By page: whether the list names it, as a table or as a leaf, or a top page of the tools' tree. */
function namedPages(memory: Memory): Uint8Array {
  const named = new Uint8Array(memory.layout.pageEnd);
  const tables = new ListTables(memory);
  const addTable = (table: number): void => {
    if (table === NO_PAGE || named[table] === 1) return;
    named[table] = 1;
    for (let index = 0; index < tables.lowerCount; index++) named[tables.lower(table, index)] = 1;
  };
  for (let upper = 0; upper < tables.upperCount; upper++) addTable(tables.upper(upper));
  const { words, geometry } = memory;
  // A shared table whose words were changed (B3) names pages too, whoever still reads it.
  const shared = tables.isTree
    ? [Global.p2m_mid_missing, Global.p2m_mid_identity]
    : [Global.p2m_missing_pte, Global.p2m_identity_pte];
  for (const global of shared) addTable(words[global]!);
  for (const global of [Global.p2m_top_mfn, Global.p2m_top_mfn_p]) {
    const top = words[global]!;
    for (let i = 0; top !== NO_PAGE && i < geometry.topPerPage; i++) named[memory.loadWord(top, i)] = 1;
  }
  named[NO_PAGE] = 0;
  return named;
}

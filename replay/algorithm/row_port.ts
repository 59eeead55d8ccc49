import { assert } from '../../events/index.js';
import { AccessKind } from '../explore/accesses.js';
import type { AlgorithmLayout } from './algorithm_layout.js';
import type { AlgorithmState } from './algorithm_state.js';

/** No address: nothing is declared there. */
const NOBODYS = 0;

/**
 * What a row may do. `load`, `store`, `cas`, `lock` and `unlock` are accesses of shared memory, of which a row makes one;
 * `alloc` and `init` are nobody else's business. An address is that of a declared word, or of a word that `alloc` gave to
 * anybody; any other ends the path: the algorithm is wrong.
 */
export class RowPort {
  /** One of `AccessKind`; what was at `location` before and is there now. Of the last row. */
  kind = 0;
  /** Address; 0 where the row made no access. */
  location = NOBODYS;
  old = 0;
  now = 0;
  /** What the paths that failed said, by number. */
  readonly failures: string[] = [];
  readonly #state: AlgorithmState;
  readonly #words: Int32Array;
  readonly #layout: AlgorithmLayout;
  readonly #names: readonly string[];
  /** By address: 1 is a lock, 0 a word. */
  readonly #locks: Uint8Array;
  #agent = 0;
  /** The lock that the row takes, as its table says; 0: none. */
  #takes = NOBODYS;

  constructor(state: AlgorithmState, layout: AlgorithmLayout, locks: Uint8Array, names: readonly string[]) {
    this.#state = state;
    this.#words = state.words;
    this.#layout = layout;
    this.#locks = locks;
    this.#names = names;
  }

  /** A row of `agent` begins, which takes that lock. */
  begin(agent: number, takes: number): void {
    this.#agent = agent;
    this.#takes = takes;
    this.location = NOBODYS;
  }

  /** The row has ended. */
  end(): void {
    assert(this.#takes === NOBODYS || this.#failed, 'a row says that it takes a lock, and did not');
  }

  /** Loads a word. */
  load(address: number): number {
    if (!this.#isWord(address)) return this.#wild('loads', address);
    const value = this.#words[address]!;
    this.#access(AccessKind.read, address, value, value);
    return value;
  }

  /** Stores a word: an integer of 32 bits. */
  store(address: number, value: number): void {
    if (!this.#isWord(address)) this.#wild('stores to', address);
    else this.#write(AccessKind.write, address, value);
  }

  /** Stores `value` where `expected` stands; gives what stood there. One that fails is a load. */
  cas(address: number, expected: number, value: number): number {
    if (!this.#isWord(address)) return this.#wild('compares', address);
    const old = this.#words[address]!;
    if (old === expected) this.#write(AccessKind.write, address, value);
    else this.#access(AccessKind.read, address, old, old);
    return old;
  }

  /** Takes a lock: the one that the table names for the row, which therefore runs only while that lock is free. */
  lock(lock: number): void {
    assert(lock === this.#takes, 'a row takes a lock that its table does not name');
    this.#takes = NOBODYS;
    this.#write(AccessKind.acquire, lock, this.#agent + 1);
  }

  /** Gives a lock back; the path fails where it is not the agent's. */
  unlock(lock: number): void {
    assert(this.#locks[lock] === 1, 'a row gives back what is no lock');
    if (this.#words[lock] !== this.#agent + 1) this.fail(`gives back a lock that it does not hold`);
    else this.#write(AccessKind.release, lock, 0);
  }

  /** Gives the agent `count` fresh words beside each other, all 0, and their first address. */
  alloc(count: number): number {
    const { nextPage, pages, pagesPerAgent } = this.#layout;
    const next = nextPage[this.#agent]!;
    const address = this.#words[next]!;
    const end = pages + (this.#agent + 1) * pagesPerAgent;
    assert(count > 0 && address + count <= end, 'a machine allocates more words than it declares (`allocates`)');
    this.#state.set(next, address + count);
    return address;
  }

  /** Fills in a word that the agent has allocated, and shown to nobody yet: that is no access of shared memory. */
  init(address: number, value: number): void {
    const own = this.#layout.pages + this.#agent * this.#layout.pagesPerAgent;
    assert(
      address >= own && address < this.#words[this.#layout.nextPage[this.#agent]!]!,
      'a row fills in a foreign word',
    );
    this.#state.set(address, value);
  }

  /** An assertion of the algorithm was hit: the path ends with this row. `return m.fail(...)` reads well. */
  fail(text: string): number {
    const whole = `${this.#names[this.#agent]!} ${text}`;
    const known = this.failures.indexOf(whole);
    const number = known >= 0 ? known : this.failures.push(whole) - 1;
    this.#state.set(this.#layout.failure, number + 1);
    return 0;
  }

  get #failed(): boolean {
    return this.#words[this.#layout.failure] !== 0;
  }

  #isWord(address: number): boolean {
    const { pages, pagesPerAgent, nextPage } = this.#layout;
    if (address < pages) return address > NOBODYS && this.#locks[address] === 0;
    const owner = Math.floor((address - pages) / pagesPerAgent);
    return owner < nextPage.length && address < this.#words[nextPage[owner]!]!;
  }

  #wild(does: string, address: number): number {
    return this.fail(`${does} ${address}, where there is no word`);
  }

  #write(kind: number, address: number, value: number): void {
    this.#access(kind, address, this.#words[address]!, value | 0);
    this.#state.set(address, value);
  }

  #access(kind: number, address: number, old: number, now: number): void {
    assert(this.location === NOBODYS, 'a row makes two accesses of shared memory');
    this.kind = kind;
    this.location = address;
    this.old = old;
    this.now = now;
  }
}

import { assert } from '../../events/index.js';
import { AccessKind } from '../explore/accesses.js';
import { NOBODYS, type AlgorithmLayout } from './algorithm_layout.js';
import type { AlgorithmState } from './algorithm_state.js';
import { DONE } from './machine.js';
import type { RowPort } from './row_port.js';

/** The port of an algorithm's rows to its state. One serves all agents, a row at a time. */
export class AlgorithmPort implements RowPort {
  /** Where the row made its access, and which of `AccessKind`; `NOBODYS` and a read: it made none. */
  location = NOBODYS;
  kind: number = AccessKind.read;
  /** What the paths that failed said, by number. */
  readonly failures: string[] = [];
  readonly #state: AlgorithmState;
  readonly #words: Int32Array;
  readonly #layout: AlgorithmLayout;
  readonly #bounds: Int32Array;
  readonly #failure: number;
  readonly #names: readonly string[];
  #agent = 0;
  /** The lock that the row has yet to take; `NOBODYS`: none. */
  #takes = NOBODYS;

  /** @param names of the agents */
  constructor(state: AlgorithmState, layout: AlgorithmLayout, names: readonly string[]) {
    this.#state = state;
    this.#words = state.words;
    this.#layout = layout;
    this.#bounds = layout.bounds;
    this.#failure = layout.failure;
    this.#names = names;
  }

  /** A row of `agent` begins, which takes that lock. */
  begin(agent: number, takes: number): void {
    this.#agent = agent;
    this.#takes = takes;
    this.location = NOBODYS;
    this.kind = AccessKind.read;
  }

  /** The row has ended, and the path has not failed. */
  end(): void {
    assert(this.#takes === NOBODYS, 'a row says that it takes a lock, and did not');
  }

  /** Whether the path has failed. */
  get failed(): boolean {
    return this.#words[this.#failure] !== 0;
  }

  load(address: number): number {
    if (!this.#isWord(address)) return this.#wild('loads from', address);
    this.#access(AccessKind.read, address);
    return this.#words[address]!;
  }

  store(address: number, value: number): void {
    if (this.#isWord(address)) this.#write(AccessKind.write, address, value);
    else this.#wild('stores to', address);
  }

  /** One that fails is a read: it does not matter to those who read too. */
  cas(address: number, expected: number, value: number): number {
    if (!this.#isWord(address)) return this.#wild('compares and exchanges', address);
    const old = this.#words[address]!;
    if (old === expected) this.#write(AccessKind.write, address, value);
    else this.#access(AccessKind.read, address);
    return old;
  }

  lock(lock: number): void {
    assert(lock === this.#takes, 'a row takes a lock that its table does not name');
    this.#takes = NOBODYS;
    this.#write(AccessKind.acquire, lock, this.#agent + 1);
  }

  unlock(lock: number): void {
    assert(lock > NOBODYS && lock < this.#layout.pages && !this.#isWord(lock), 'a row gives back what is no lock');
    if (this.#words[lock] === this.#agent + 1) this.#write(AccessKind.release, lock, 0);
    else this.fail('gives back a lock that it does not hold');
  }

  alloc(count: number): number {
    const { nextPage, pages, pagesPerAgent } = this.#layout;
    const next = nextPage[this.#agent]!;
    const address = this.#words[next]!;
    const end = pages + (this.#agent + 1) * pagesPerAgent;
    assert(count > 0 && address + count <= end, 'a machine allocates more words than it declares (`allocates`)');
    this.#state.set(next, address + count);
    return address;
  }

  init(address: number, value: number): void {
    const { nextPage, pages, pagesPerAgent } = this.#layout;
    const own = pages + this.#agent * pagesPerAgent;
    assert(address >= own && address < this.#words[nextPage[this.#agent]!]!, 'a row fills in a word of others');
    this.#state.set(address, value);
  }

  fail(text: string): number {
    const whole = `${this.#names[this.#agent]!} ${text}`;
    const known = this.failures.indexOf(whole);
    const number = known >= 0 ? known : this.failures.push(whole) - 1;
    this.#state.set(this.#failure, number + 1);
    return DONE;
  }

  #isWord(address: number): boolean {
    const bound = this.#bounds[address];
    return bound !== undefined && address < this.#words[bound]!;
  }

  /** Gives what a pointer to nowhere can be followed from once more: the row goes on to its end. */
  #wild(does: string, address: number): number {
    this.fail(`${does} ${address}, where there is no word`);
    return NOBODYS;
  }

  #write(kind: number, address: number, value: number): void {
    this.#access(kind, address);
    this.#state.set(address, value);
  }

  #access(kind: number, address: number): void {
    assert(this.location === NOBODYS, 'a row makes two accesses of shared memory');
    this.kind = kind;
    this.location = address;
  }
}

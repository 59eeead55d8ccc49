import type { History } from './history.js';
import { RegisterOperations } from './register_operations.js';
import { RegisterSearch, type SearchVerdict } from './register_search.js';
import { RegisterZones } from './register_zones.js';

/** What is known of a register's operations; of those that are violated, some that are so by themselves. */
export type RegisterVerdict =
  { readonly verdict: 'ok' | 'unknown' } | { readonly verdict: 'violated'; readonly guilty: ReadonlySet<number> };

/** Decides one register after the other: by its zones where they tell, else by search. */
export class RegisterCheck {
  /** Steps that the last search took; 0 where none was needed. */
  steps = 0;
  readonly #history: History;
  readonly #ops: RegisterOperations;
  readonly #zones: RegisterZones;
  readonly #search: RegisterSearch;
  readonly #initial: number;

  /** Registers of `history`, which begin with `initial`, a number of its `values`. */
  constructor(history: History, initial: number) {
    this.#history = history;
    this.#initial = initial;
    this.#ops = new RegisterOperations(history);
    this.#zones = new RegisterZones(history.values.count);
    this.#search = new RegisterSearch(this.#ops);
  }

  /** The verdict on a key's events, as `KeyEvents` has them, or some of them; a search may take `stepsMax` steps. */
  verdict(events: Int32Array, stepsMax: number): SearchVerdict {
    this.#ops.load(events, this.#initial);
    this.steps = 0;
    const fast = this.#zones.decide(this.#ops);
    if (fast !== 'unknown') return fast;
    const found = this.#search.run(stepsMax);
    this.steps = this.#search.steps;
    return found;
  }

  /** The verdict, and who is to blame: numbers of operations of the history. */
  check(events: Int32Array, stepsMax: number): RegisterVerdict {
    const verdict = this.verdict(events, stepsMax);
    if (verdict !== 'violated') return { verdict };
    const { witness } = this.#zones;
    return { verdict, guilty: new Set(witness.length > 0 ? this.#named(witness) : this.#unexplained(events)) };
  }

  #named(places: readonly number[]): number[] {
    return places.map((i) => this.#ops.operation[i]!);
  }

  /**
   * The operations up to the first return that no order explains: without what was called later, and without reads that
   * ended later, they have no order either.
   */
  #unexplained(events: Int32Array): number[] {
    const { returned, operation } = this.#ops;
    const last = ~operation[returned[this.#search.explained]!]!;
    const before = events.subarray(0, events.indexOf(last) + 1);
    const isOver = new Set(before);
    return [...before].filter((event) => event >= 0 && (this.#history.mayWrite(event) || isOver.has(~event)));
  }
}

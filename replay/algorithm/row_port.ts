/**
 * What a row may do. `load`, `store`, `cas`, `lock` and `unlock` are accesses of shared memory, of which a row makes at most
 * one; `alloc` and `init` are nobody else's business.
 *
 * An address is that of a declared word, or of a word that `alloc` gave to anybody. To load from elsewhere, or to give back
 * a lock of another, is a mistake of the algorithm: the path ends there, and breaks the check `assertion`.
 */
export interface RowPort {
  /** Loads a word. */
  load(address: number): number;
  /** Stores a word; the value is cut to 32 bits. */
  store(address: number, value: number): void;
  /** Stores `value` where `expected` stands, and gives what stood there: an atomic compare-and-exchange. */
  cas(address: number, expected: number, value: number): number;
  /** Takes the lock that the table names for the row, which therefore runs only while that lock is free. */
  lock(lock: number): void;
  /** Gives a lock back. */
  unlock(lock: number): void;
  /** Gives the agent `count` fresh words beside each other, all 0: the address of the first. They are never given back. */
  alloc(count: number): number;
  /** Fills in a word that the agent has allocated and that nobody else can know of yet. */
  init(address: number, value: number): void;
  /** An assertion of the algorithm was hit: the path ends with this row. Gives `DONE`, for `return m.fail('...')`. */
  fail(text: string): number;
}

import { OperationKind } from './history.js';
import type { RegisterOperations } from './register_operations.js';

/** The initial value stands for a write that ended before all. */
const BEFORE_ALL = -1;
const NONE = -1;

/**
 * Decides a register whose every value was written once, however many operations overlap, in linear time (Gibbons and
 * Korach 1997, "Testing shared memories").
 *
 * A value's write and its reads stand together in any order: they are its cluster. Value A comes before B where some
 * operation of A's cluster ended before one of B's began: where the first return of A, `first[A]`, comes before the last
 * call of B, `last[B]`. An order exists where no read ended before its write began and no values come before each other in
 * a circle. A circle holds a pair that does: in it take A with the greatest `last`; whoever else is in it ended something
 * before a call that is at most `last[A]`, so comes before A, and A comes before its successor.
 */
export class RegisterZones {
  /** After a `violated`: operations that are so already by themselves. */
  witness: number[] = [];

  /** By value: its write, and in which run that was seen. */
  readonly #writer: Int32Array;
  readonly #seen: Int32Array;
  #run = 0;
  /** By value, where it was seen: the first return and the last call of its cluster, and whose they are. */
  readonly #first: Int32Array;
  readonly #last: Int32Array;
  readonly #firstOf: Int32Array;
  readonly #lastOf: Int32Array;

  constructor(values: number) {
    this.#writer = new Int32Array(values);
    this.#seen = new Int32Array(values);
    this.#first = new Int32Array(values);
    this.#last = new Int32Array(values);
    this.#firstOf = new Int32Array(values);
    this.#lastOf = new Int32Array(values);
  }

  /**
   * The verdict; `unknown` where a value was written twice, or by a cas, unless somebody found what nothing had begun to
   * write.
   */
  decide(ops: RegisterOperations): 'ok' | 'violated' | 'unknown' {
    this.witness = [];
    if (!this.#gatherWrites(ops)) return this.#haveSources(ops) ? 'unknown' : 'violated';
    return this.#gatherReads(ops) && this.#areOrdered(ops) ? 'ok' : 'violated';
  }

  #gatherWrites({ kind, value, call, ret, count, initial }: RegisterOperations): boolean {
    this.#run++;
    this.#open(initial, NONE, BEFORE_ALL, BEFORE_ALL);
    for (let i = 0; i < count; i++) {
      if (kind[i] === OperationKind.read) continue;
      if (kind[i] === OperationKind.cas || this.#seen[value[i]!] === this.#run) return false;
      this.#open(value[i]!, i, ret[i]!, call[i]!);
    }
    return true;
  }

  /** Whether of whatever was found some write had begun. */
  #haveSources({ kind, value, expected, call, ret, count, done, initial }: RegisterOperations): boolean {
    this.#run++;
    this.#open(initial, NONE, BEFORE_ALL, BEFORE_ALL);
    for (let i = 0; i < count; i++) {
      const isEarliest = this.#seen[value[i]!] !== this.#run || call[i]! < this.#last[value[i]!]!;
      if (kind[i] !== OperationKind.read && isEarliest) this.#open(value[i]!, i, ret[i]!, call[i]!);
    }
    for (let i = 0; i < done; i++) {
      if (kind[i] === OperationKind.write) continue;
      const found = (kind[i] === OperationKind.read ? value : expected)[i]!;
      const isSeen = this.#seen[found] === this.#run;
      if (isSeen && this.#last[found]! <= ret[i]!) continue;
      this.witness = isSeen ? [i, this.#writer[found]!] : [i];
      return false;
    }
    return true;
  }

  #open(value: number, writer: number, first: number, last: number): void {
    this.#seen[value] = this.#run;
    this.#writer[value] = writer;
    this.#first[value] = first;
    this.#firstOf[value] = writer;
    this.#last[value] = last;
    this.#lastOf[value] = writer;
  }

  /** Adds the reads to their clusters; false where one has none, or ended before its write began. */
  #gatherReads({ kind, value, call, ret, done }: RegisterOperations): boolean {
    for (let i = 0; i < done; i++) {
      if (kind[i] !== OperationKind.read) continue;
      const v = value[i]!;
      const writer = this.#seen[v] === this.#run ? this.#writer[v]! : undefined;
      if (writer === undefined || (writer !== NONE && ret[i]! < call[writer]!)) {
        this.witness = writer === undefined ? [i] : [writer, i];
        return false;
      }
      if (ret[i]! < this.#first[v]!) {
        this.#first[v] = ret[i]!;
        this.#firstOf[v] = i;
      }
      if (call[i]! > this.#last[v]!) {
        this.#last[v] = call[i]!;
        this.#lastOf[v] = i;
      }
    }
    return true;
  }

  /** Whether no two values come before each other. Looks at them by their first returns, no two of which are the same. */
  #areOrdered(ops: RegisterOperations): boolean {
    const { value, returned, done, initial } = ops;
    // Of the values so far the one with the latest call. Were there two whose calls come after the return in hand, they
    // would each come before the other, and it would have shown.
    let latest = initial;
    for (let at = 0; at < done; at++) {
      const i = returned[at]!;
      const v = value[i]!;
      if (this.#firstOf[v] !== i || v === initial) continue;
      if (this.#last[latest]! > at && this.#first[latest]! < this.#last[v]!) {
        this.witness = this.#pair(latest, v);
        return false;
      }
      if (this.#last[v]! > this.#last[latest]!) latest = v;
    }
    return true;
  }

  #pair(a: number, b: number): number[] {
    const found = [a, b].flatMap((v) => [this.#writer[v]!, this.#firstOf[v]!, this.#lastOf[v]!]);
    return [...new Set(found)].filter((i) => i !== NONE);
  }
}

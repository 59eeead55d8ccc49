import {
  EventBatch,
  FAULT,
  fieldsOf,
  INVALID,
  kindName,
  payloadColumn,
  viewEvent,
  type EntryCodec,
  type FieldType,
  type P2mEvent,
  type StoredLog,
  type Word,
} from '../../events/index.js';

/** Where two logs part: the events there, `undefined` of a log that has ended. */
export interface FirstDifference {
  readonly seq: number;
  readonly a: P2mEvent | undefined;
  readonly b: P2mEvent | undefined;
}

/** Where the columns of a kind hold words, as bits: always, or where `column` is that number. */
interface WordColumns {
  readonly always: number;
  readonly sometimes: number;
  readonly column: number;
  readonly is: number;
  /** The column that names a payload; -1 where none does. */
  readonly payload: number;
}

const OPERANDS = 5;
/** Ints of a run in a payload; the second one is a word. */
const RUN = 3;

/** By kind; undefined of those whose columns are plain numbers. */
const WORD_COLUMNS = Array.from({ length: 256 }, (_, id) => wordColumns(id));

function wordColumns(id: number): WordColumns | undefined {
  const name = kindName(id);
  if (name === undefined) return undefined;
  const bitsOf = (wanted: FieldType): number =>
    fieldsOf(name).reduce((bits, { type, column }) => (type === wanted ? bits | (1 << column) : bits), 0);
  const [always, sometimes, payload] = [bitsOf('word'), bitsOf('either'), payloadColumn(id)];
  if (always === 0 && sometimes === 0 && payload < 0) return undefined;
  const when = fieldsOf(name).find(({ wordWhen }) => wordWhen !== undefined)?.wordWhen;
  return { always, sometimes, column: when?.column ?? 0, is: when?.is ?? 0, payload };
}

/**
 * The first event at which two logs differ, words compared by value; undefined where none does. The number of an operation
 * is what the log calls it: it has to be the same operation, and not the same number.
 */
export function firstDifference(a: StoredLog, b: StoredLog): FirstDifference | undefined {
  const count = Math.min(a.events, b.events);
  const [left, right] = [new Rows(a), new Rows(b)];
  const comparison = new Comparison(a.codec, b.codec);
  for (let seq = 0; seq < count;) {
    left.goTo(seq);
    right.goTo(seq);
    const end = Math.min(left.end, right.end);
    const same = comparison.same(left.batch, seq - left.start, right.batch, seq - right.start, end - seq);
    seq += same;
    if (seq < end) return { seq, a: left.view(seq), b: right.view(seq) };
  }
  if (a.events === b.events) return undefined;
  const longer = a.events > count ? left : right;
  longer.goTo(count);
  const event = longer.view(count);
  return { seq: count, a: longer === left ? event : undefined, b: longer === right ? event : undefined };
}

/** Compares rows of two logs, told in their order: the numbers of operations are paired as they come. */
class Comparison {
  readonly #a: EntryCodec;
  readonly #b: EntryCodec;
  /** By operation of the one log that of the other. */
  readonly #others = new Map<number, number>();
  readonly #taken = new Set<number>();
  /** The pair that was seen last: most events are of the operation of the one before. */
  #op = 0;
  #other = 0;

  constructor(a: EntryCodec, b: EntryCodec) {
    this.#a = a;
    this.#b = b;
    // No operation is no operation in both.
    this.#others.set(0, 0);
    this.#taken.add(0);
  }

  /** How many of the `count` rows from row i and row k on are the same before one is not. */
  same(a: EventBatch, i: number, b: EventBatch, k: number, count: number): number {
    for (let n = 0; n < count; n++) if (!this.#isSame(a, i + n, b, k + n)) return n;
    return count;
  }

  #isSame(a: EventBatch, i: number, b: EventBatch, k: number): boolean {
    if (a.kind[i] !== b.kind[k] || a.cpu[i] !== b.cpu[k] || !this.#isPair(a.op[i]!, b.op[k]!)) return false;
    const isLike =
      a.a[i] === b.a[k] && a.b[i] === b.b[k] && a.c[i] === b.c[k] && a.d[i] === b.d[k] && a.e[i] === b.e[k];
    const words = WORD_COLUMNS[a.kind[i]!];
    if (words === undefined) return isLike;
    return (isLike && !this.#hasHandles(a, i, words)) || this.#areFieldsSame(a, i, b, k, words);
  }

  /** Whether it takes more than its columns to say what event `i` is. */
  #hasHandles(batch: EventBatch, i: number, { always, sometimes, payload }: WordColumns): boolean {
    if (payload >= 0) return true;
    // Bit by bit, the lowest first.
    for (let bits = always | sometimes; bits !== 0; bits &= bits - 1) {
      if (isHandle(batch.operand(31 - Math.clz32(bits & -bits), i))) return true;
    }
    return false;
  }

  #areFieldsSame(a: EventBatch, i: number, b: EventBatch, k: number, words: WordColumns): boolean {
    const { always, sometimes, column: when, is, payload } = words;
    const bits = sometimes !== 0 && a.operand(when, i) === is ? always | sometimes : always;
    for (let column = 0; column < OPERANDS; column++) {
      const [x, y] = [a.operand(column, i), b.operand(column, k)];
      if (column === payload) {
        if (!this.#areRunsSame(a.payloadAt(x), b.payloadAt(y))) return false;
      } else if ((bits & (1 << column)) !== 0) {
        if (!this.#isWordSame(x, y)) return false;
      } else if (x !== y) return false;
    }
    return true;
  }

  #areRunsSame(a: Int32Array, b: Int32Array): boolean {
    if (a.length !== b.length) return false;
    for (let n = 0; n < a.length; n++) {
      if (n % RUN === 1 ? !this.#isWordSame(a[n]!, b[n]!) : a[n] !== b[n]) return false;
    }
    return true;
  }

  /** By value: a handle is a number of its own log. */
  #isWordSame(x: Word, y: Word): boolean {
    if (!isHandle(x) || !isHandle(y)) return x === y;
    return this.#a.rawLo(x) === this.#b.rawLo(y) && this.#a.rawHi(x) === this.#b.rawHi(y);
  }

  /** Whether the one log's operation is the other's, as far as was seen; it is from now on where neither was. */
  #isPair(op: number, other: number): boolean {
    if (op === this.#op && other === this.#other) return true;
    if (!this.#others.has(op) && !this.#taken.has(other)) {
      this.#others.set(op, other);
      this.#taken.add(other);
    }
    if (this.#others.get(op) !== other) return false;
    this.#op = op;
    this.#other = other;
    return true;
  }
}

function isHandle(word: Word): boolean {
  return word >>> 30 === 0 && word !== INVALID && word !== FAULT;
}

/** The blocks of a log, one after the other. */
class Rows {
  readonly #log: StoredLog;
  batch = new EventBatch(1);
  /** Number of the first event of the block in hand, and the one behind its last. */
  start = 0;
  end = 0;

  constructor(log: StoredLog) {
    this.#log = log;
  }

  /** Takes the block of event `seq`. */
  goTo(seq: number): void {
    if (seq >= this.start && seq < this.end) return;
    const block = this.#log.blockOf(seq);
    this.batch = this.#log.read(block);
    this.start = this.#log.seqOf(block);
    this.end = this.#log.seqOf(block + 1);
  }

  /** An event of the block in hand. */
  view(seq: number): P2mEvent {
    return viewEvent(this.batch, seq - this.start, this.#log.codec, seq);
  }
}

import { assert, AssertionError } from './errors.js';

/**
 * Events as columns of integers (design 2): no object an event. Row i is an event: its kind, the CPU that did it, the
 * number of the operation it belongs to, and up to five operands whose meaning is the kind's in kinds.ts.
 *
 *     kind u8 | cpu u8 | op i32 | a b c d e i32          payload i32[]: records [length, ints ...]
 */
export class EventBatch {
  kind: Uint8Array;
  cpu: Uint8Array;
  op: Int32Array;
  a: Int32Array;
  b: Int32Array;
  c: Int32Array;
  d: Int32Array;
  e: Int32Array;
  /** Rows in use. */
  length = 0;
  /** Ints that did not fit a row, as records `[length, ints ...]`; a row holds the record's offset. */
  payload: Int32Array = new Int32Array(16);
  payloadLength = 0;

  constructor(capacity = 1024) {
    this.kind = new Uint8Array(capacity);
    this.cpu = new Uint8Array(capacity);
    this.op = new Int32Array(capacity);
    this.a = new Int32Array(capacity);
    this.b = new Int32Array(capacity);
    this.c = new Int32Array(capacity);
    this.d = new Int32Array(capacity);
    this.e = new Int32Array(capacity);
  }

  /** Appends an event and gives its row. Grows when full, so hand the batch on before it gets large. */
  push(kind: number, cpu: number, op: number, a = 0, b = 0, c = 0, d = 0, e = 0): number {
    const i = this.length;
    if (i === this.kind.length) this.#grow();
    this.kind[i] = kind;
    this.cpu[i] = cpu;
    this.op[i] = op;
    this.a[i] = a;
    this.b[i] = b;
    this.c[i] = c;
    this.d[i] = d;
    this.e[i] = e;
    this.length = i + 1;
    return i;
  }

  /** Keeps `ints` as a payload record and gives its offset, for a row's `payload` column. */
  pushPayload(ints: ArrayLike<number>): number {
    const offset = this.payloadLength;
    const end = offset + 1 + ints.length;
    if (end > this.payload.length) {
      const larger = new Int32Array(Math.max(end, this.payload.length * 2));
      larger.set(this.payload.subarray(0, offset));
      this.payload = larger;
    }
    this.payload[offset] = ints.length;
    this.payload.set(ints, offset + 1);
    this.payloadLength = end;
    return offset;
  }

  /** The payload record at `offset`, as a view that lives until the batch is cleared. */
  payloadAt(offset: number): Int32Array {
    assert(offset >= 0 && offset < this.payloadLength, `payload offset ${offset} is outside the batch`);
    return this.payload.subarray(offset + 1, offset + 1 + this.payload[offset]!);
  }

  /** Appends row `i` of `other`, payload included. */
  copyRow(other: EventBatch, i: number, payloadColumn: number): void {
    const row = this.push(
      other.kind[i]!,
      other.cpu[i]!,
      other.op[i]!,
      other.a[i],
      other.b[i],
      other.c[i],
      other.d[i],
      other.e[i],
    );
    if (payloadColumn < 0) return;
    const column = this.column(payloadColumn);
    column[row] = this.pushPayload(other.payloadAt(column[row]!));
  }

  /** Operand column `index`: 0 is `a`, 4 is `e`. */
  column(index: number): Int32Array {
    const column = [this.a, this.b, this.c, this.d, this.e][index];
    assert(column !== undefined, `there is no operand column ${index}`);
    return column;
  }

  /** As `column(index)[i]`, without a list of columns each time: of event `i`. */
  operand(index: number, i: number): number {
    switch (index) {
      case 0:
        return this.a[i]!;
      case 1:
        return this.b[i]!;
      case 2:
        return this.c[i]!;
      case 3:
        return this.d[i]!;
      default:
        return this.e[i]!;
    }
  }

  /** Drops all rows and payloads; memory is kept. */
  clear(): void {
    this.length = 0;
    this.payloadLength = 0;
  }

  /** Drops the rows from `length` on: their events were undone. */
  truncate(length: number): void {
    if (length < 0 || length > this.length) {
      throw new AssertionError(`cannot cut a batch of ${this.length} events to ${length}`);
    }
    this.length = length;
  }

  #grow(): void {
    const size = Math.max(16, this.kind.length * 2);
    const bytes = (old: Uint8Array): Uint8Array => {
      const larger = new Uint8Array(size);
      larger.set(old);
      return larger;
    };
    const ints = (old: Int32Array): Int32Array => {
      const larger = new Int32Array(size);
      larger.set(old);
      return larger;
    };
    this.kind = bytes(this.kind);
    this.cpu = bytes(this.cpu);
    this.op = ints(this.op);
    this.a = ints(this.a);
    this.b = ints(this.b);
    this.c = ints(this.c);
    this.d = ints(this.d);
    this.e = ints(this.e);
  }
}

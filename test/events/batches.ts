import fc from 'fast-check';
import {
  commOf,
  EntryCodec,
  EventBatch,
  FAULT,
  fieldsOf,
  KINDS,
  kindName,
  NAMES,
  PAGE_MAX,
  payloadColumn,
  UNSIGNED_MAX,
  type EntryBits,
  type Field,
  type KindName,
} from '../../events/index.js';

/** A batch and the codec of its words. */
export interface CodedBatch {
  readonly batch: EventBatch;
  readonly codec: EntryCodec;
}

/** What goes into a row: operands by column, the payload record where the kind has one, words as raw halves. */
interface RowSeed {
  readonly kind: KindName;
  readonly cpu: number;
  readonly op: number;
  readonly columns: readonly ColumnSeed[];
}

type Raw = readonly [hi: number, lo: number];
type ColumnSeed =
  | { readonly column: number; readonly int: number }
  | { readonly column: number; readonly raw: Raw }
  | { readonly column: number; readonly runs: readonly (readonly [number, Raw, number])[] };

/** Small ones often: `wordWhen` asks for one. */
const INT32 = fc.oneof(fc.nat(9), fc.integer({ min: -0x8000_0000, max: UNSIGNED_MAX }));
const EDGES = fc.constantFrom(0, 1, 0x3fff_ffff, 0x4000_0000, 0x7fff_ffff, 0x8000_0000, 0xbfff_ffff, 0xffff_ffff);
const HALF = fc.oneof(fc.nat(0xffff), EDGES, fc.integer({ min: 0, max: 0xffff_ffff }));
/** A raw entry; half of them have a short word, the others are interned. */
const RAW: fc.Arbitrary<Raw> = fc.oneof(
  fc.tuple(fc.constantFrom(0, 0x4000_0000, 0x8000_0000), fc.nat(0x3fff_ffff)),
  fc.tuple(HALF, HALF),
);

/** Any value of the columns of a field. */
function columnSeeds(field: Field): fc.Arbitrary<ColumnSeed[]> {
  const { column, type } = field;
  const int = (values: fc.Arbitrary<number>, at = column): fc.Arbitrary<ColumnSeed[]> =>
    values.map((value) => [{ column: at, int: value }]);
  switch (type) {
    case 'pfn':
      return int(fc.oneof(fc.nat(100), fc.nat(UNSIGNED_MAX)));
    case 'page':
      return int(fc.nat(PAGE_MAX));
    case 'int':
      return int(INT32);
    case 'pfn64':
      return fc.oneof(fc.nat(100), fc.maxSafeNat(), fc.constant(Number.MAX_SAFE_INTEGER)).map((pfn) => [
        { column, int: pfn | 0 },
        { column: column + 1, int: Math.floor(pfn / 2 ** 32) },
      ]);
    case 'time':
      return fc.oneof(fc.nat(100), fc.maxSafeNat()).map((time) => [
        { column, int: time | 0 },
        { column: column + 1, int: Math.floor(time / 2 ** 32) },
      ]);
    case 'comm':
      return fc
        .uint8Array({ maxLength: 16, min: 1 })
        .map((bytes) => commOf(bytes).map((int, c) => ({ column: column + c, int })));
    case 'word':
      return wordSeeds(column);
    case 'pte':
      return int(
        fc.oneof(
          fc.constant(0),
          fc.tuple(fc.nat(PAGE_MAX), fc.constantFrom(1, 3)).map(([page, bits]) => (page << 2) | bits),
        ),
      );
    case 'payload':
      return fc
        .array(fc.tuple(fc.integer({ min: 1, max: UNSIGNED_MAX }), RAW, INT32), { maxLength: 4 })
        .map((runs) => [{ column, runs }]);
    case 'either':
      return fc.constant([]); // as `wordWhen` says, below
    default:
      return int(fc.nat(NAMES[type].length - 1));
  }
}

function wordSeeds(column: number): fc.Arbitrary<ColumnSeed[]> {
  const raw = RAW.map((halves): ColumnSeed[] => [{ column, raw: halves }]);
  const fault = fc.constant<ColumnSeed[]>([{ column, int: FAULT }]);
  return fc.oneof({ weight: 9, arbitrary: raw }, { weight: 1, arbitrary: fault });
}

function rowSeed(kind: KindName): fc.Arbitrary<RowSeed> {
  return fc
    .record({
      kind: fc.constant(kind),
      cpu: fc.nat(255),
      op: fc.nat(UNSIGNED_MAX),
      columns: fc.tuple(...fieldsOf(kind).map(columnSeeds)).map((parts) => parts.flat()),
    })
    .chain((row) => {
      const seeds = fieldsOf(kind).flatMap(({ column, wordWhen }) =>
        wordWhen === undefined ? [] : [eitherSeeds(column, selects(row, wordWhen.column, wordWhen.is))],
      );
      return fc.tuple(...seeds).map((either) => ({ ...row, columns: [...row.columns, ...either.flat()] }));
    });
}

function selects(row: RowSeed, column: number, is: number): boolean {
  return row.columns.some((seed) => seed.column === column && 'int' in seed && seed.int === is);
}

function eitherSeeds(column: number, asWord: boolean): fc.Arbitrary<ColumnSeed[]> {
  return asWord ? wordSeeds(column) : INT32.map((int) => [{ column, int }]);
}

/** Batches with rows of every kind in the table, and any value that a column can show. */
export function batches(bits: EntryBits): fc.Arbitrary<CodedBatch> {
  const kinds = Object.keys(KINDS) as KindName[];
  return fc.array(fc.oneof(...kinds.map(rowSeed)), { maxLength: 60 }).map((rows) => {
    const codec = new EntryCodec(bits);
    const batch = new EventBatch(1);
    for (const row of rows) pushSeed(batch, codec, row);
    return { batch, codec };
  });
}

function pushSeed(batch: EventBatch, codec: EntryCodec, row: RowSeed): void {
  const word = ([hi, lo]: Raw): number =>
    codec.fromRaw(codec.bits === 64 ? hi : 0, codec.bits === 64 ? lo : (lo | hi) >>> 0);
  const operands = [0, 0, 0, 0, 0];
  for (const seed of row.columns) {
    if ('int' in seed) operands[seed.column] = seed.int;
    else if ('raw' in seed) operands[seed.column] = word(seed.raw);
    else
      operands[seed.column] = batch.pushPayload(
        seed.runs.flatMap(([count, raw, stride]) => [count, word(raw), stride]),
      );
  }
  const [a, b, c, d, e] = operands;
  batch.push(KINDS[row.kind].id, row.cpu, row.op, a, b, c, d, e);
}

/** All that a batch says, to be compared: rows by column, payload records in place of their offsets. */
export function rowsOf(batch: EventBatch): readonly (readonly (number | readonly number[])[])[] {
  return Array.from({ length: batch.length }, (_, i) => {
    const operands: (number | readonly number[])[] = [batch.a, batch.b, batch.c, batch.d, batch.e].map(
      (column) => column[i]!,
    );
    const payload = payloadColumn(batch.kind[i]!);
    if (payload >= 0) operands[payload] = [...batch.payloadAt(operands[payload] as number)];
    return [batch.kind[i]!, batch.cpu[i]!, batch.op[i]!, ...operands];
  });
}

/** Names of the kinds that occur in the batch. */
export function kindsIn(batch: EventBatch): Set<string> {
  return new Set(Array.from({ length: batch.length }, (_, i) => kindName(batch.kind[i]!) ?? 'unknown'));
}

import type { EventBatch } from './batch.js';
import { COMM_COLUMNS, commColumns, commText } from './comm.js';
import { inputError, type Place } from './errors.js';
import { KINDS, kindName, widthOf, type FieldType, type KindName, type KindSpec } from './kinds.js';
import { NAMES } from './names.js';
import { FAULT, type EntryCodec, type Word } from './word.js';

/** A raw entry in lower-case hexadecimal, or what stands for it where the load faulted. */
export type WordText = `0x${string}` | 'fault';
/** Page and protection of a PTE or PMD. */
export type PteText = `${number}:rw` | `${number}:ro` | 'none';
/** `count` entries: `word`, `word + stride`, ... */
export type RunView = readonly [count: number, word: WordText, stride: number];

interface PlainViews {
  readonly pfn: number;
  readonly pfn64: number;
  readonly time: number;
  readonly comm: string;
  readonly word: WordText;
  readonly pte: PteText;
  readonly page: number;
  readonly int: number;
  readonly payload: readonly RunView[];
  readonly either: number | WordText;
}

/** What a field of a type is in a `P2mEvent` (the third column of the table at `FieldType`). */
export type ViewOf<T extends FieldType> = T extends keyof typeof NAMES
  ? (typeof NAMES)[T][number]
  : T extends keyof PlainViews
    ? PlainViews[T]
    : never;

/** What every event says: its place in the log, the CPU that did it, the operation it belongs to, its kind. */
export interface Envelope<K extends KindName> {
  /** Place in the log, from 0. */
  readonly seq: number;
  /** 0 to 255. */
  readonly cpu: number;
  /** Number of the operation, which its `call` opens and its `return` ends. */
  readonly op: number;
  readonly kind: K;
}

type FieldsOf<K extends KindName> = (typeof KINDS)[K]['fields'];

/** An event of one kind as an object. */
export type EventOf<K extends KindName> = Readonly<Envelope<K>> & {
  readonly [F in keyof FieldsOf<K>]: FieldsOf<K>[F] extends FieldType ? ViewOf<FieldsOf<K>[F]> : never;
};

/** An event as an object, for the edges: inside, events are rows of a batch. */
export type P2mEvent = { [K in KindName]: EventOf<K> }[KindName];

/** A field of a kind and the first operand column where it stands; `widthOf` says how many it has. */
export interface Field {
  readonly name: string;
  readonly type: FieldType;
  readonly column: number;
  /** Of a field that can be either: it is a word where this column is that number. */
  readonly wordWhen: { readonly column: number; readonly is: number } | undefined;
}

const OPERANDS = 5;
/** Numbers of an unsigned column that must fit an Int32Array. */
export const UNSIGNED_MAX = 0x7fff_ffff;
/** A PTE has 30 bits for the page. */
export const PAGE_MAX = 0x3fff_ffff;
/** A CPU is a byte. */
export const CPU_MAX = 0xff;
/** Lower bound of a signed column. */
export const INT_MIN = -0x8000_0000;
const TWO_32 = 0x1_0000_0000;

/** What a raw entry looks like. */
export const WORD_PATTERN = /^0x[0-9a-f]{1,16}$/;
/** What a PTE looks like; the empty one is `none`. */
export const PTE_PATTERN = /^(0|[1-9][0-9]{0,9}):(rw|ro)$/;

const EXPECTED: Readonly<Record<Exclude<FieldType, keyof typeof NAMES>, string>> = {
  pfn: `a whole number from 0 to ${UNSIGNED_MAX}`,
  pfn64: 'a whole number from 0 to below 2^53',
  time: 'a whole number from 0 to below 2^53',
  comm: 'the name of a task: up to 16 printable ASCII characters, other bytes as \\xNN',
  word: 'a raw entry in lower-case hexadecimal such as 0x40000000000fed00, or fault',
  pte: '12:rw, 12:ro or none (pages below 2^30)',
  page: `a whole number from 0 to ${PAGE_MAX}`,
  int: 'a signed 32-bit integer',
  payload: 'an array of runs [count, raw entry, stride]',
  either: 'a raw entry where the event says so, else a signed 32-bit integer',
};

/** What a field of the type can hold, in words. */
export function expectedOf(type: FieldType): string {
  return type in NAMES ? NAMES[type as keyof typeof NAMES].join(', ') : EXPECTED[type as keyof typeof EXPECTED];
}

const FIELDS = Object.fromEntries(
  (Object.keys(KINDS) as KindName[]).map((kind) => [kind, columnsOf(kind)]),
) as unknown as Readonly<Record<KindName, readonly Field[]>>;

function columnsOf(kind: KindName): readonly Field[] {
  const spec: KindSpec = KINDS[kind];
  let column = 0;
  return Object.entries(spec.fields).map(([name, type]) => {
    const field = { name, type, column, wordWhen: type === 'either' ? spec.wordWhen : undefined };
    column += widthOf(type);
    if (column > OPERANDS) throw new RangeError(`${kind} has more than ${OPERANDS} operands`);
    return field;
  });
}

/** The fields of a kind, in the order of their columns. */
export function fieldsOf(kind: KindName): readonly Field[] {
  return FIELDS[kind];
}

/** The operand column of kind `id` that names a payload record, -1 where none does: what `EventBatch.copyRow` asks for. */
export function payloadColumn(id: number): number {
  const kind = kindName(id);
  return (kind === undefined ? undefined : FIELDS[kind].find((field) => field.type === 'payload')?.column) ?? -1;
}

/**
 * Event `i` of the batch as an object; `seq` is its place in the log, by default in the batch.
 * @throws P2mError where a column holds what its field cannot
 */
export function viewEvent(batch: EventBatch, i: number, codec: EntryCodec, seq = i): P2mEvent {
  const kind = kindAt(batch, i);
  const event: Record<string, unknown> = { seq, cpu: batch.cpu[i], op: batch.op[i], kind };
  for (const field of FIELDS[kind]) event[field.name] = viewField(batch, i, field, codec);
  return event as P2mEvent;
}

/** The kind of event `i`. @throws P2mError where its number is no kind */
export function kindAt(batch: EventBatch, i: number): KindName {
  const kind = kindName(batch.kind[i]!);
  if (kind === undefined) {
    throw inputError('unknown kind of event', { got: `number ${batch.kind[i]}`, expected: 'a kind of docs/events.md' });
  }
  return kind;
}

/** What `viewField` gives. */
export type FieldValue = number | string | readonly RunView[];

/** A field of event `i` as the view shows it. @throws P2mError where the column holds what the field cannot */
export function viewField(batch: EventBatch, i: number, field: Field, codec: EntryCodec): FieldValue {
  const raw = batch.operand(field.column, i);
  switch (field.type) {
    case 'int':
      return raw;
    case 'pfn':
      return raw >= 0 ? raw : outOfRange(field, raw);
    case 'page':
      return raw >= 0 && raw <= PAGE_MAX ? raw : outOfRange(field, raw);
    case 'pfn64':
    case 'time': {
      const upper = batch.operand(field.column + 1, i);
      return upper >= 0 && upper < 2 ** 21 ? upper * TWO_32 + (raw >>> 0) : outOfRange(field, upper);
    }
    case 'comm':
      return viewComm(batch, i, field);
    case 'word':
      return wordText(raw, codec);
    case 'pte':
      if ((raw & 1) === 0 && raw !== 0) return outOfRange(field, raw);
      return raw === 0 ? 'none' : `${raw >>> 2}:${(raw & 2) === 0 ? 'ro' : 'rw'}`;
    case 'either':
      return batch.operand(field.wordWhen!.column, i) === field.wordWhen!.is ? wordText(raw, codec) : raw;
    case 'payload':
      return viewRuns(batch.payloadAt(raw), field, codec);
    default: {
      const name: string | undefined = NAMES[field.type][raw];
      return name ?? outOfRange(field, raw);
    }
  }
}

/**
 * Appends an event to the batch and gives its row: what `viewEvent` undoes. `seq` is not kept, for a row's place is its
 * number. `place` is where the event was read, for the complaint.
 * @throws P2mError where a field is missing, too large or no value of its type
 */
export function pushEvent(batch: EventBatch, event: P2mEvent, codec: EntryCodec, place: Place = {}): number {
  const values: Readonly<Record<string, unknown>> = event;
  const kind = KINDS[event.kind] as (typeof KINDS)[KindName] | undefined;
  if (kind === undefined) throw bad('kind', event.kind, Object.keys(KINDS).join(', '), place);
  const cpu = whole('cpu', event.cpu, 0, CPU_MAX, place);
  const op = whole('op', event.op, 0, UNSIGNED_MAX, place);
  const operands = [0, 0, 0, 0, 0];
  let runs: number[] | undefined;
  for (const field of FIELDS[event.kind]) {
    const value = values[field.name];
    if (field.type === 'payload') runs = readRuns(field, value, codec, place);
    else if (field.type === 'comm') {
      const columns = typeof value === 'string' ? commColumns(value) : undefined;
      if (columns === undefined) throw bad(field.name, value, expectedOf(field.type), place);
      columns.forEach((ints, c) => (operands[field.column + c] = ints));
    } else if (field.type === 'pfn64' || field.type === 'time') {
      const pfn = whole(field.name, value, 0, Number.MAX_SAFE_INTEGER, place);
      operands[field.column] = pfn | 0;
      operands[field.column + 1] = Math.floor(pfn / TWO_32);
    } else if (field.type === 'either') {
      const asWord = operands[field.wordWhen!.column] === field.wordWhen!.is;
      operands[field.column] = readColumn(field, asWord ? 'word' : 'int', value, codec, place);
    } else operands[field.column] = readColumn(field, field.type, value, codec, place);
  }
  // Last, so that a bad event leaves nothing behind.
  if (runs !== undefined) operands[payloadColumn(kind.id)] = batch.pushPayload(runs);
  const [a, b, c, d, e] = operands;
  return batch.push(kind.id, cpu, op, a, b, c, d, e);
}

/** What a field that fits one column is in the batch. */
function readColumn(field: Field, type: FieldType, value: unknown, codec: EntryCodec, place: Place): number {
  switch (type) {
    case 'int':
      return whole(field.name, value, INT_MIN, UNSIGNED_MAX, place, expectedOf(field.type));
    case 'pfn':
      return whole(field.name, value, 0, UNSIGNED_MAX, place);
    case 'page':
      return whole(field.name, value, 0, PAGE_MAX, place);
    case 'word':
      return value === 'fault' ? FAULT : readWord(field, value, codec, place);
    case 'pte': {
      if (value === 'none') return 0;
      const match = typeof value === 'string' ? PTE_PATTERN.exec(value) : null;
      if (match === null || Number(match[1]) > PAGE_MAX) throw bad(field.name, value, expectedOf(field.type), place);
      return (Number(match[1]) << 2) | (match[2] === 'rw' ? 3 : 1);
    }
    default: {
      const names: readonly unknown[] = NAMES[type as keyof typeof NAMES];
      const index = names.indexOf(value);
      if (index < 0) throw bad(field.name, value, expectedOf(type), place);
      return index;
    }
  }
}

function viewComm(batch: EventBatch, i: number, field: Field): string {
  const columns = Array.from({ length: COMM_COLUMNS }, (_, c) => batch.operand(field.column + c, i));
  return commText(columns) ?? outOfRange(field, columns[0]!);
}

function wordText(word: Word, codec: EntryCodec): WordText {
  return word === FAULT ? 'fault' : (codec.toHex(word) as WordText);
}

function readWord(field: Field, value: unknown, codec: EntryCodec, place: Place): Word {
  if (typeof value !== 'string' || !WORD_PATTERN.test(value)) {
    throw bad(field.name, value, expectedOf(field.type), place);
  }
  const hi = value.length > 10 ? parseInt(value.slice(2, -8), 16) : 0;
  if (hi !== 0 && codec.bits === 32) throw bad(field.name, value, 'a raw entry of 32 bits', place);
  return codec.fromRaw(hi, parseInt(value.length > 10 ? value.slice(-8) : value.slice(2), 16));
}

function viewRuns(ints: Int32Array, field: Field, codec: EntryCodec): RunView[] {
  if (ints.length % 3 !== 0) return outOfRange(field, ints.length);
  const runs: RunView[] = [];
  for (let r = 0; r < ints.length; r += 3) {
    runs.push([ints[r]!, wordText(ints[r + 1]!, codec), ints[r + 2]!]);
  }
  return runs;
}

function readRuns(field: Field, value: unknown, codec: EntryCodec, place: Place): number[] {
  if (!Array.isArray(value)) throw bad(field.name, value, expectedOf('payload'), place);
  return value.flatMap((run: unknown, index) => {
    const name = `${field.name}[${index}]`;
    if (!Array.isArray(run) || run.length !== 3) throw bad(name, run, '[count, raw entry, stride]', place);
    const [count, word, stride] = run as readonly unknown[];
    return [
      whole(name, count, 1, UNSIGNED_MAX, place, 'a count from 1 on'),
      readWord({ ...field, name, type: 'word' }, word, codec, place),
      whole(name, stride, INT_MIN, UNSIGNED_MAX, place, 'a stride of 32 bits'),
    ];
  });
}

function whole(name: string, value: unknown, min: number, max: number, place: Place, expected?: string): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) return value;
  throw bad(name, value, expected ?? `a whole number from ${min} to ${max}`, place);
}

function bad(name: string, value: unknown, expected: string, place: Place): Error {
  return inputError(`bad ${name}`, {
    ...place,
    got: value === undefined ? 'nothing' : JSON.stringify(value),
    expected,
  });
}

function outOfRange(field: Field, raw: number): never {
  throw inputError(`bad column of ${field.name}`, { got: String(raw), expected: expectedOf(field.type) });
}

import type { SchemaElement } from 'hyparquet-writer';
import {
  FAULT,
  fieldsOf,
  INVALID,
  KINDS,
  viewField,
  type EntryCodec,
  type EventBatch,
  type Field,
  type FieldType,
  type KindName,
  type RunView,
  type Word,
} from '../../events/index.js';

/** How values of a column stand in the file. */
type ColumnType = 'int32' | 'int64' | 'uint64' | 'boolean' | 'string' | 'runs';

const OPTIONAL = 'OPTIONAL' as const;
const ELEMENTS: Readonly<Record<Exclude<ColumnType, 'runs'>, Omit<SchemaElement, 'name'>>> = {
  int32: { type: 'INT32' },
  int64: { type: 'INT64' },
  uint64: { type: 'INT64', converted_type: 'UINT_64' },
  boolean: { type: 'BOOLEAN' },
  string: { type: 'BYTE_ARRAY', converted_type: 'UTF8' },
};

/** Rows of one column, null where the event has no such thing. */
export class Column {
  readonly name: string;
  readonly type: ColumnType;
  readonly values: unknown[] = [];

  constructor(name: string, type: ColumnType) {
    this.name = name;
    this.type = type;
  }

  /** The elements of the file's schema, a list's inner ones behind it. */
  get schema(): SchemaElement[] {
    const { name } = this;
    if (this.type !== 'runs') return [{ name, repetition_type: OPTIONAL, ...ELEMENTS[this.type] }];
    return [
      { name, repetition_type: OPTIONAL, converted_type: 'LIST', num_children: 1 },
      { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
      { name: 'element', repetition_type: 'REQUIRED', num_children: 3 },
      { name: 'count', repetition_type: 'REQUIRED', type: 'INT32' },
      { name: 'entry', repetition_type: 'REQUIRED', type: 'INT64', converted_type: 'UINT_64' },
      { name: 'stride', repetition_type: 'REQUIRED', type: 'INT32' },
    ];
  }
}

/** Puts what an event's field says into row `row` of its columns. */
export type Filler = (batch: EventBatch, i: number, row: number) => void;

/** These hold a number in events of one kind, an entry or a PTE in those of another: the number has a column of its own. */
const SHARED_NAMES: readonly string[] = ['old', 'new', 'value'];

/** The columns of all fields of all kinds (docs/exports.md), and who fills them. */
export class EventColumns {
  /** In the order of the file. */
  readonly all: Column[] = [];
  /** By id of a kind. */
  readonly fillers: (readonly Filler[] | undefined)[] = [];
  readonly #codec: EntryCodec;
  readonly #byName = new Map<string, Column>();
  /** Frames and entries come again and again: a bigint of each is made once, up to so many. */
  readonly #entries = new Map<Word, bigint>();

  constructor(codec: EntryCodec, first: readonly Column[]) {
    this.#codec = codec;
    for (const column of first) this.add(column.name, column.type);
    for (const name of Object.keys(KINDS) as KindName[]) {
      this.fillers[KINDS[name].id] = fieldsOf(name).map((field) => this.#filler(field));
    }
  }

  /** The column of that name, made where there is none. */
  add(name: string, type: ColumnType): Column {
    let column = this.#byName.get(name);
    if (column === undefined) {
      column = new Column(name, type);
      this.#byName.set(name, column);
      this.all.push(column);
    }
    return column;
  }

  #filler(field: Field): Filler {
    const { name, column } = field;
    const type: FieldType = field.type;
    switch (type) {
      case 'word':
        return this.#wordFiller(name, column);
      case 'either': {
        const asWord = this.#wordFiller(name, column);
        const asInt = this.#intFiller(name, column);
        const { column: by, is } = field.wordWhen!;
        return (batch, i, row) => (batch.column(by)[i] === is ? asWord : asInt)(batch, i, row);
      }
      case 'pte':
        return this.#pteFiller(name, column);
      case 'int':
      case 'page':
        return this.#intFiller(name, column);
      case 'payload': {
        const { values } = this.add('runs', 'runs');
        return (batch, i, row) => {
          const runs = viewField(batch, i, field, this.#codec) as readonly RunView[];
          values[row] = runs.map(([count, entry, stride]) => ({ count, entry: BigInt(entry), stride }));
        };
      }
      default: {
        const isNumber = type === 'pfn' || type === 'pfn64' || type === 'time';
        const { values } = this.add(name, isNumber ? 'int64' : 'string');
        return (batch, i, row) => {
          const value = viewField(batch, i, field, this.#codec);
          values[row] = isNumber ? BigInt(value as number) : value;
        };
      }
    }
  }

  #intFiller(name: string, column: number): Filler {
    const { values } = this.add(SHARED_NAMES.includes(name) ? `${name}_int` : name, 'int32');
    return (batch, i, row) => {
      values[row] = batch.column(column)[i];
    };
  }

  #pteFiller(name: string, column: number): Filler {
    const page = this.add(`${name}_page`, 'int32').values;
    const writable = this.add(`${name}_writable`, 'boolean').values;
    return (batch, i, row) => {
      const pte = batch.column(column)[i]!;
      if (pte === 0) return;
      page[row] = pte >>> 2;
      writable[row] = (pte & 2) !== 0;
    };
  }

  /** The raw entry; what it is; and its frame number: an mfn, or the pfn of an identity entry. */
  #wordFiller(name: string, column: number): Filler {
    const raw = this.add(name, 'uint64').values;
    const kind = this.add(`${name}_kind`, 'string').values;
    const frame = this.add(`${name}_frame`, 'int64').values;
    const codec = this.#codec;
    return (batch, i, row) => {
      const word = batch.column(column)[i]!;
      kind[row] = entryKind(word, codec);
      if (word === FAULT) return;
      raw[row] = this.#rawOf(word);
      if (word !== INVALID) frame[row] = BigInt(codec.frameOf(word));
    };
  }

  #rawOf(word: Word): bigint {
    let raw = this.#entries.get(word);
    if (raw === undefined) {
      raw = BigInt(this.#codec.toHex(word));
      if (this.#entries.size >= ENTRIES_MAX) this.#entries.clear();
      this.#entries.set(word, raw);
    }
    return raw;
  }
}

const ENTRIES_MAX = 1 << 16;

/** What an entry is: the words of docs/exports.md. */
function entryKind(word: Word, codec: EntryCodec): string {
  if (word === INVALID) return 'missing';
  if (word === FAULT) return 'fault';
  const isForeign = codec.isForeign(word);
  if (codec.isIdentity(word)) return isForeign ? 'foreign_identity' : 'identity';
  return isForeign ? 'foreign' : 'frame';
}

import { kindName } from '../kinds.js';
import { NAMES } from '../names.js';
import { expectedOf, fieldsOf, INT_MIN, PAGE_MAX, payloadColumn, UNSIGNED_MAX, type Field } from '../view.js';
import { FAULT, type Word } from '../word.js';

/**
 * What a record of the binary log can hold, column by column, from the table of kinds: the writer and the reader ask for
 * the same. A record stands in `words` from `at` on (layout.ts).
 */

/** Words of a record before operand `a`. */
export const OPERANDS_AT = 2;
const OPERANDS = 5;
const TAIL = 7;
/** Upper half of a pfn below 2^53. */
const PFN_UPPER_MAX = 2 ** 21 - 1;
const KINDS_END = 256;

const KNOWN = new Uint8Array(KINDS_END);
/** Bounds of each operand column of each kind; unused ones are 0. */
const MIN = new Int32Array(KINDS_END * OPERANDS);
const MAX = new Int32Array(KINDS_END * OPERANDS);
/** Columns that hold a PTE, as bits. */
const PTES = new Uint8Array(KINDS_END);
const WORD_FIELDS: (readonly Field[])[] = Array.from({ length: KINDS_END }, () => []);
const PAYLOAD = Int8Array.from({ length: KINDS_END }, (_, id) => payloadColumn(id));

for (let id = 0; id < KINDS_END; id++) {
  const kind = kindName(id);
  if (kind === undefined) continue;
  KNOWN[id] = 1;
  const fields = fieldsOf(kind);
  for (const field of fields) setBounds(id * OPERANDS + field.column, field);
  for (const { type, column } of fields) if (type === 'pte') PTES[id]! |= 1 << column;
  WORD_FIELDS[id] = fields.filter(({ type }) => type === 'word' || type === 'either');
}

function setBounds(at: number, { type }: Field): void {
  MIN[at] = 0;
  switch (type) {
    case 'pfn':
    case 'payload':
      MAX[at] = UNSIGNED_MAX;
      break;
    case 'page':
      MAX[at] = PAGE_MAX;
      break;
    case 'pfn64':
      MAX[at + 1] = PFN_UPPER_MAX;
      [MIN[at], MAX[at]] = [INT_MIN, UNSIGNED_MAX];
      break;
    case 'int':
    case 'word':
    case 'pte':
    case 'either':
      [MIN[at], MAX[at]] = [INT_MIN, UNSIGNED_MAX];
      break;
    default:
      MAX[at] = NAMES[type].length - 1;
  }
}

/**
 * The byte of the record, from its beginning, at which it holds what it cannot; -1 where it is fine. What words of
 * entries and payload columns name is not looked at.
 */
export function badByte(words: Int32Array, at: number): number {
  const envelope = words[at]!;
  const kind = envelope & 0xff;
  if (KNOWN[kind] === 0) return 0;
  if (envelope >>> 16 !== 0) return 2;
  if (words[at + 1]! < 0) return 4;
  const bounds = kind * OPERANDS;
  for (let c = 0; c < OPERANDS; c++) {
    const value = words[at + OPERANDS_AT + c]!;
    if (value < MIN[bounds + c]! || value > MAX[bounds + c]!) return byteOf(c);
  }
  if (PTES[kind] !== 0) {
    for (let c = 0; c < OPERANDS; c++) {
      const pte = words[at + OPERANDS_AT + c]!;
      if (((PTES[kind]! >>> c) & 1) !== 0 && pte !== 0 && (pte & 1) === 0) return byteOf(c);
    }
  }
  return words[at + TAIL] === 0 ? -1 : TAIL * 4;
}

function byteOf(column: number): number {
  return (OPERANDS_AT + column) * 4;
}

/** What stands at byte `byte` of the record, by name, and what can stand there. */
export function describe(words: Int32Array, at: number, byte: number): { what: string; got: string; expected: string } {
  const kind = words[at]! & 0xff;
  const name = kindName(kind);
  if (name === undefined) {
    return { what: 'unknown kind of event', got: `number ${kind}`, expected: 'a kind of docs/events.md' };
  }
  if (byte === 2) return { what: 'reserved bytes are used', got: String(words[at]! >>> 16), expected: '0' };
  const got = String(words[at + (byte >>> 2)]);
  if (byte === 4) return { what: 'bad op', got, expected: `a whole number from 0 to ${UNSIGNED_MAX}` };
  const column = (byte >>> 2) - OPERANDS_AT;
  const field = fieldsOf(name).find((f) => f.column === column || (f.type === 'pfn64' && f.column + 1 === column));
  if (field === undefined) return { what: `a column that ${name} does not use`, got, expected: '0' };
  return { what: `bad ${field.name} of ${name}`, got, expected: expectedOf(field.type) };
}

/** Operand columns of kind `id` that hold a word of an entry, if their `wordWhen` says so. */
export function wordFields(id: number): readonly Field[] {
  return WORD_FIELDS[id]!;
}

/** Whether the field of the record holds a word of an entry. */
export function holdsWord(words: Int32Array, at: number, { wordWhen }: Field): boolean {
  return wordWhen === undefined || words[at + OPERANDS_AT + wordWhen.column] === wordWhen.is;
}

/** As `payloadColumn`, for hot loops. */
export function payloadColumnOf(id: number): number {
  return PAYLOAD[id]!;
}

/** Whether the word names a wide value by a handle: what a log has to number anew. */
export function isHandle(word: Word): boolean {
  return word >>> 30 === 0 && word !== 0 && word !== FAULT;
}

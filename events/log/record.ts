import { COMM_COLUMNS, commText } from '../comm.js';
import { assert } from '../errors.js';
import { KINDS, kindName, widthOf } from '../kinds.js';
import { NAMES, Result } from '../names.js';
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
/** Upper half of a number below 2^53. */
const UPPER_MAX = 2 ** 21 - 1;
const KINDS_END = 256;

const KNOWN = new Uint8Array(KINDS_END);
/** Bounds of each operand column of each kind: the least, and how far up from it. Unused ones are 0. */
const MIN = new Int32Array(KINDS_END * OPERANDS);
const SPAN = new Uint32Array(KINDS_END * OPERANDS);
/** Columns that hold a PTE, and those that hold a word of an entry, as bits. */
const PTES = new Uint8Array(KINDS_END);
const WORDS = new Uint8Array(KINDS_END);
/** The columns of `WORDS`, of which a kind has at most two. */
const FIRST_WORD = new Uint8Array(KINDS_END);
const LAST_WORD = new Uint8Array(KINDS_END);
/** The column that must be `WHEN_IS` for the words to be words (`wordWhen`); -1 where they always are. */
const WHEN = new Int8Array(KINDS_END).fill(-1);
const WHEN_IS = new Int32Array(KINDS_END);
/** The first column of a task's name, plus 1; 0 where the kind has none. */
const COMM = new Uint8Array(KINDS_END);
const PAYLOAD = Int8Array.from({ length: KINDS_END }, (_, id) => payloadColumn(id));

for (let id = 0; id < KINDS_END; id++) {
  const kind = kindName(id);
  if (kind === undefined) continue;
  KNOWN[id] = 1;
  for (const field of fieldsOf(kind)) setColumn(id, field);
}

function setColumn(id: number, { type, column, wordWhen }: Field): void {
  const at = id * OPERANDS + column;
  const bound = (min: number, max: number): void => {
    MIN[at] = min;
    SPAN[at] = max - min;
  };
  switch (type) {
    case 'pfn':
    case 'payload':
      return bound(0, UNSIGNED_MAX);
    case 'page':
      return bound(0, PAGE_MAX);
    case 'pfn64':
    case 'time':
      SPAN[at + 1] = UPPER_MAX;
      return bound(INT_MIN, UNSIGNED_MAX);
    case 'comm':
      COMM[id] = column + 1;
      for (let c = 0; c < COMM_COLUMNS; c++) {
        MIN[at + c] = INT_MIN;
        SPAN[at + c] = UNSIGNED_MAX - INT_MIN;
      }
      return;
    case 'pte':
      PTES[id]! |= 1 << column;
      return bound(INT_MIN, UNSIGNED_MAX);
    case 'word':
    case 'either':
      if (WORDS[id] === 0) FIRST_WORD[id] = column;
      assert((WORDS[id]! & (WORDS[id]! - 1)) === 0, 'a kind has at most two words of entries');
      WORDS[id]! |= 1 << column;
      LAST_WORD[id] = column;
      if (wordWhen !== undefined) {
        WHEN[id] = wordWhen.column;
        WHEN_IS[id] = wordWhen.is;
      }
      return bound(INT_MIN, UNSIGNED_MAX);
    case 'int':
      return bound(INT_MIN, UNSIGNED_MAX);
    default:
      return bound(0, NAMES[type].length - 1);
  }
}

const SET_ENTRY = KINDS.set_entry.id;
const CALL = KINDS.call.id;
const RETURN = KINDS.return.id;
const OPERATIONS_END = NAMES.operation.length;
const RESULTS_END = NAMES.result.length;
const RESULT_WORD = Result.word;

/**
 * Whether a record of these words is surely fine, and names neither a wide value nor a payload: then `badByte`, `handlesIn`
 * and `payloadColumnOf` have nothing to say of it. Knows the kinds that long logs consist of, each by its row of the table
 * of kinds, for to ask the tables takes twice as long; of other records it says no.
 */
export function isPlain(
  envelope: number,
  op: number,
  a: number,
  b: number,
  c: number,
  d: number,
  e: number,
  tail: number,
): boolean {
  if (((envelope >>> 16) | tail) !== 0 || op < 0) return false;
  switch (envelope & 0xff) {
    case SET_ENTRY:
      // A page has 30 bits: one that has more, or a pfn below 0, shows as a sign.
      return (a | b | (b << 1)) >= 0 && e === 0 && !isHandle(c) && !isHandle(d);
    case CALL:
      return a >>> 0 < OPERATIONS_END && c >>> 0 <= UPPER_MAX && !isHandle(d);
    case RETURN:
      if ((d | e) !== 0 || a >>> 0 >= OPERATIONS_END || b >>> 0 >= RESULTS_END) return false;
      return b !== RESULT_WORD || !isHandle(c);
    default:
      return false;
  }
}

/**
 * The byte of the record, from its beginning, at which it holds what it cannot; -1 where it is fine. What words of
 * entries and payload columns name is not looked at.
 */
export function badByte(words: Int32Array, at: number): number {
  const envelope = words[at]!;
  const kind = envelope & 0xff;
  const b = kind * OPERANDS;
  if (
    KNOWN[kind] === 1 &&
    envelope >>> 16 === 0 &&
    words[at + 1]! >= 0 &&
    (words[at + 2]! - MIN[b]!) >>> 0 <= SPAN[b]! &&
    (words[at + 3]! - MIN[b + 1]!) >>> 0 <= SPAN[b + 1]! &&
    (words[at + 4]! - MIN[b + 2]!) >>> 0 <= SPAN[b + 2]! &&
    (words[at + 5]! - MIN[b + 3]!) >>> 0 <= SPAN[b + 3]! &&
    (words[at + 6]! - MIN[b + 4]!) >>> 0 <= SPAN[b + 4]! &&
    words[at + TAIL] === 0 &&
    (PTES[kind] === 0 || badPte(words, at, PTES[kind]!) < 0) &&
    (COMM[kind] === 0 || !badComm(words, at, COMM[kind]! - 1))
  ) {
    return -1;
  }
  return findBadByte(words, at);
}

/** `badByte` of a record that holds what it cannot. */
function findBadByte(words: Int32Array, at: number): number {
  const kind = words[at]! & 0xff;
  if (KNOWN[kind] === 0) return 0;
  if (words[at]! >>> 16 !== 0) return 2;
  if (words[at + 1]! < 0) return 4;
  for (let c = 0; c < OPERANDS; c++) {
    const b = kind * OPERANDS + c;
    if ((words[at + OPERANDS_AT + c]! - MIN[b]!) >>> 0 > SPAN[b]!) return byteOf(c);
  }
  const pte = badPte(words, at, PTES[kind]!);
  if (pte >= 0) return byteOf(pte);
  return words[at + TAIL] !== 0 ? TAIL * 4 : byteOf(COMM[kind]! - 1);
}

/** Whether bytes stand behind the end of a task's name. */
function badComm(words: Int32Array, at: number, column: number): boolean {
  const first = at + OPERANDS_AT + column;
  return commText(words.subarray(first, first + COMM_COLUMNS)) === undefined;
}

/** The first of the columns in `mask` whose PTE names a page and is not present; -1 where there is none. */
function badPte(words: Int32Array, at: number, mask: number): number {
  for (let c = 0; c < OPERANDS; c++) {
    const pte = words[at + OPERANDS_AT + c]!;
    if (((mask >>> c) & 1) !== 0 && pte !== 0 && (pte & 1) === 0) return c;
  }
  return -1;
}

/** Operand columns of the record that hold a handle of a wide value, as bits. */
export function handlesIn(words: Int32Array, at: number): number {
  const kind = words[at]! & 0xff;
  const mask = WORDS[kind]!;
  if (mask === 0) return 0;
  const when = WHEN[kind]!;
  if (when >= 0 && words[at + OPERANDS_AT + when] !== WHEN_IS[kind]) return 0;
  const first = FIRST_WORD[kind]!;
  const last = LAST_WORD[kind]!;
  let found = isHandle(words[at + OPERANDS_AT + first]!) ? 1 << first : 0;
  if (last !== first && isHandle(words[at + OPERANDS_AT + last]!)) found |= 1 << last;
  return found;
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
  const field = fieldsOf(name).find((f) => f.column <= column && column < f.column + widthOf(f.type));
  if (field === undefined) return { what: `a column that ${name} does not use`, got, expected: '0' };
  return { what: `bad ${field.name} of ${name}`, got, expected: expectedOf(field.type) };
}

/** As `payloadColumn`, for hot loops. */
export function payloadColumnOf(id: number): number {
  return PAYLOAD[id]!;
}

/** Whether the word names a wide value by a handle: what a log has to number anew. */
export function isHandle(word: Word): boolean {
  return (word - 1) >>> 0 < FAULT - 1;
}

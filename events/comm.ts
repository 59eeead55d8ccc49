/**
 * The name of a task, as the kernel keeps it (TASK_COMM_LEN): up to 16 bytes in four columns, the lowest byte first, zeros
 * behind it. As text a byte that is no printable ASCII character, and the backslash, is `\xNN`: any name has one text.
 */

/** Columns of a name. */
export const COMM_COLUMNS = 4;
const COMM_BYTES = 4 * COMM_COLUMNS;
const BACKSLASH = 0x5c;
const CHARACTER = /\\x[0-9a-f]{2}|[^]/g;

/** The text of the name in the columns; undefined where something stands behind its end. */
export function commText(columns: ArrayLike<number>): string | undefined {
  let text = '';
  let ended = false;
  for (let i = 0; i < COMM_BYTES; i++) {
    const byte = (columns[i >>> 2]! >>> (8 * (i & 3))) & 0xff;
    if (byte === 0) ended = true;
    else if (ended) return undefined;
    else text += isPlain(byte) ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, '0')}`;
  }
  return text;
}

/** The columns of a text that `commText` gave; undefined where it can have given no such text. */
export function commColumns(text: string): number[] | undefined {
  const bytes: number[] = [];
  for (const character of text.match(CHARACTER) ?? []) {
    const isEscape = character.length > 1;
    const byte = isEscape ? parseInt(character.slice(2), 16) : character.charCodeAt(0);
    if (byte === 0 || isPlain(byte) === isEscape || byte > 0xff) return undefined;
    bytes.push(byte);
  }
  return bytes.length > COMM_BYTES ? undefined : columnsOf(bytes);
}

/** The columns of a name in bytes, cut where it is too long, or has a 0. */
export function commOf(bytes: Uint8Array): number[] {
  const end = bytes.indexOf(0);
  return columnsOf(bytes.subarray(0, Math.min(COMM_BYTES, end < 0 ? bytes.length : end)));
}

function columnsOf(bytes: ArrayLike<number>): number[] {
  const columns = new Array<number>(COMM_COLUMNS).fill(0);
  for (let i = 0; i < bytes.length; i++) columns[i >>> 2]! |= bytes[i]! << (8 * (i & 3));
  return columns;
}

function isPlain(byte: number): boolean {
  return byte >= 0x20 && byte < 0x7f && byte !== BACKSLASH;
}

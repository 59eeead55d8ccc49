/** Walking through the bytes of a log line. */

const BLANK = 0x20;
const ZERO = 0x30;
const NINE = 0x39;

/** The index of the first byte from `at` on that is no blank. */
export function blanks(bytes: Uint8Array, at: number, end: number): number {
  let i = at;
  while (i < end && bytes[i] === BLANK) i++;
  return i;
}

/** The index behind the last byte before `end` that is no blank. */
export function blanksBack(bytes: Uint8Array, start: number, end: number): number {
  let i = end;
  while (i > start && bytes[i - 1] === BLANK) i--;
  return i;
}

/** The index of the first of the digits that end before `end`. */
export function digitsBack(bytes: Uint8Array, start: number, end: number): number {
  let i = end;
  while (i > start && isDigit(bytes[i - 1]!)) i--;
  return i;
}

/** Whether the byte is a decimal digit. */
export function isDigit(byte: number): boolean {
  return byte >= ZERO && byte <= NINE;
}

/** The bytes as text; off the hot path, for it makes a string. */
export function textOf(bytes: Uint8Array, start: number, end: number): string {
  return new TextDecoder().decode(bytes.subarray(start, end));
}

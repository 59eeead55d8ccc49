/**
 * Numbers out of log bytes into two unsigned 32-bit halves, without BigInt, string or object. The readers return the
 * index after the last digit, or -1 where there is no number or it does not fit 64 bits.
 */

/** Value of each byte as a hexadecimal digit, -1 for others. */
export const DIGIT: Int8Array = new Int8Array(256).fill(-1);
for (let digit = 0; digit < 16; digit++) {
  DIGIT[digit.toString(16).charCodeAt(0)] = digit;
  DIGIT[digit.toString(16).toUpperCase().charCodeAt(0)] = digit;
}

const TWO_32 = 0x1_0000_0000;
const ZERO = 0x30;
const MINUS = 0x2d;
const LOWER_X = 0x78;

/** Reads `[0-9a-f]+`, at most 16 digits after leading zeros, into `hi[slot]` and `lo[slot]`. */
export function readHex(
  bytes: Uint8Array,
  at: number,
  end: number,
  hi: Uint32Array,
  lo: Uint32Array,
  slot: number,
): number {
  // Two groups of eight digits: most numbers have one, and a group is cheaper to gather than a 64-bit shift a digit.
  let lower = 0;
  let i = at;
  for (const groupEnd = at + 8 < end ? at + 8 : end; i < groupEnd; i++) {
    const digit = DIGIT[bytes[i]!]!;
    if (digit < 0) break;
    lower = (lower << 4) | digit;
  }
  if (i === at) return -1;
  let upper = 0;
  if (i === at + 8) {
    let group = 0;
    for (const groupEnd = at + 16 < end ? at + 16 : end; i < groupEnd; i++) {
      const digit = DIGIT[bytes[i]!]!;
      if (digit < 0) break;
      group = (group << 4) | digit;
    }
    const bits = 4 * (i - at - 8);
    upper = bits === 32 ? lower : bits === 0 ? 0 : lower >>> (32 - bits);
    lower = bits === 32 ? group : (lower << bits) | group;
    if (i === at + 16 && i < end && DIGIT[bytes[i]!]! >= 0) {
      return readLongHex(bytes, at, end, hi, lo, slot);
    }
  }
  hi[slot] = upper;
  lo[slot] = lower;
  return i;
}

/** More than 16 digits: leading zeros, or too much. */
function readLongHex(
  bytes: Uint8Array,
  at: number,
  end: number,
  hi: Uint32Array,
  lo: Uint32Array,
  slot: number,
): number {
  let digitsEnd = at;
  while (digitsEnd < end && DIGIT[bytes[digitsEnd]!]! >= 0) digitsEnd++;
  const significant = digitsEnd - 16;
  for (let i = at; i < significant; i++) if (bytes[i] !== ZERO) return -1;
  return readHex(bytes, significant, digitsEnd, hi, lo, slot);
}

/** Reads `[0-9]+` below 2^64. */
export function readDecimal(
  bytes: Uint8Array,
  at: number,
  end: number,
  hi: Uint32Array,
  lo: Uint32Array,
  slot: number,
): number {
  let upper = 0;
  let lower = 0;
  let i = at;
  const shortEnd = Math.min(end, at + 9);
  for (; i < shortEnd; i++) {
    const digit = bytes[i]! - ZERO;
    if (digit < 0 || digit > 9) break;
    lower = lower * 10 + digit;
  }
  if (i === at) return -1;
  // The rest in groups of 6: a half times 10^6 and a group are below 2^53, so the products of doubles are exact.
  let more = i === at + 9;
  while (more) {
    let scale = 1;
    let group = 0;
    for (; i < end && scale < 1e6; i++, scale *= 10) {
      const digit = bytes[i]! - ZERO;
      if (digit < 0 || digit > 9) break;
      group = group * 10 + digit;
    }
    more = scale === 1e6;
    const product = lower * scale + group;
    const carry = Math.floor(product / TWO_32);
    lower = product - carry * TWO_32;
    upper = upper * scale + carry;
    if (upper >= TWO_32) return -1;
  }
  hi[slot] = upper;
  lo[slot] = lower;
  return i;
}

/** Reads what a probe prints: hexadecimal with 0x, decimal, or either after a minus (stored in two's complement). */
export function readNumber(
  bytes: Uint8Array,
  at: number,
  end: number,
  hi: Uint32Array,
  lo: Uint32Array,
  slot: number,
): number {
  const negative = at < end && bytes[at] === MINUS;
  const first = negative ? at + 1 : at;
  const hex = first + 1 < end && bytes[first] === ZERO && bytes[first + 1] === LOWER_X;
  const next = hex ? readHex(bytes, first + 2, end, hi, lo, slot) : readDecimal(bytes, first, end, hi, lo, slot);
  if (negative && next >= 0) {
    const lower = lo[slot]!;
    lo[slot] = -lower;
    hi[slot] = lower === 0 ? -hi[slot]! : ~hi[slot]!;
  }
  return next;
}

import { usageError } from '../events/index.js';

/** A number in decimal or 0x-hexadecimal, below `end`. @throws P2mError naming `what` where it is not. */
export function parseNumber(text: string, what: string, end: number): number {
  if (!/^(0x[0-9a-fA-F]+|[0-9]+)$/.test(text)) {
    throw usageError(`bad ${what}`, { got: JSON.stringify(text), expected: 'hex (0x...) or decimal' });
  }
  const value = BigInt(text);
  if (value >= BigInt(end)) {
    throw usageError(`${what} out of range`, { got: text, expected: `below ${end} (0x${end.toString(16)})` });
  }
  return Number(value);
}

/** A half-open range `A-B`, A below B, B at most `end`. @throws P2mError where it is not. */
export function parseRange(text: string, what: string, end: number): { pfnStart: number; pfnEnd: number } {
  const parts = text.split('-');
  if (parts.length !== 2) {
    throw usageError(`bad ${what}`, { got: JSON.stringify(text), expected: 'a half-open range A-B' });
  }
  const pfnStart = parseNumber(parts[0]!, `${what} start`, end);
  const pfnEnd = parseNumber(parts[1]!, `${what} end`, end + 1);
  if (pfnEnd <= pfnStart) {
    throw usageError(`empty ${what}`, { got: text, expected: 'a half-open range A-B with A below B' });
  }
  return { pfnStart, pfnEnd };
}

/** `0x402`. */
export function hex(n: number): string {
  return `0x${n.toString(16)}`;
}

/** A pfn, or a half-open range of them. @throws P2mError where it is neither. */
export function parsePfns(text: string, end: number): { pfnStart: number; pfnEnd: number } {
  if (text.includes('-')) return parseRange(text, 'pfn range', end);
  const pfn = parseNumber(text, 'pfn', end);
  return { pfnStart: pfn, pfnEnd: pfn + 1 };
}

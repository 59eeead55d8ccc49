import { describe, expect, it } from 'vitest';
import { parseNumber, parseRange } from '../../cli/numbers.js';

describe('parseNumber', () => {
  it('reads hex and decimal', () => {
    expect([parseNumber('0x402', 'pfn', 0x403), parseNumber('1026', 'pfn', 1027)]).toEqual([0x402, 1026]);
    expect(parseNumber('00009', 'pfn', 10)).toBe(9);
  });

  it.each(['', ' 5', '-5', '+5', '5.0', '0x', '0xg', '1e3', '0b1', 'five', '5-6'])('takes %j for no number', (text) => {
    expect(() => parseNumber(text, 'pfn', 100)).toThrow(
      `bad pfn: got ${JSON.stringify(text)}, want hex (0x...) or decimal`,
    );
  });

  it.each(['100', '0x64', '0x1000000000000000', '9'.repeat(400)])('takes %s for too large below 100', (text) => {
    expect(() => parseNumber(text, 'pfn', 100)).toThrow(/^pfn out of range: got .*, want below 100 \(0x64\)$/);
  });
});

describe('parseRange', () => {
  it('reads a half-open range', () => {
    expect(parseRange('0x10-32', 'hole', 100)).toEqual({ pfnStart: 16, pfnEnd: 32 });
    expect(parseRange('5-100', 'hole', 100)).toEqual({ pfnStart: 5, pfnEnd: 100 });
  });

  it.each([
    ['5', 'bad hole: got "5", want a half-open range A-B'],
    ['1-2-3', 'bad hole: got "1-2-3", want a half-open range A-B'],
    ['5-', 'bad hole end: got "", want hex (0x...) or decimal'],
    ['-5', 'bad hole start: got "", want hex (0x...) or decimal'],
    ['5-5', 'empty hole: got 5-5, want a half-open range A-B with A below B'],
    ['9-5', 'empty hole: got 9-5, want a half-open range A-B with A below B'],
    ['100-101', 'hole start out of range: got 100, want below 100 (0x64)'],
    ['5-101', 'hole end out of range: got 101, want below 101 (0x65)'],
  ])('refuses %s', (text, message) => {
    expect(() => parseRange(text, 'hole', 100)).toThrow(message);
  });
});

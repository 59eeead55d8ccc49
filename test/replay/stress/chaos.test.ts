import { describe, expect, it } from 'vitest';
import { Chaos, parseChaos } from '../../../replay/index.js';

const ROWS = 100_000;

function pauses(percent: number, seed: number, rows = ROWS): number[] {
  const chaos = new Chaos(percent, seed);
  return Array.from({ length: rows }, () => chaos.pause());
}

describe('Chaos', () => {
  it.each([0.1, 1, 10, 50])('pauses after %d percent of the rows', (percent) => {
    const count = pauses(percent, 3).filter((us) => us > 0).length;
    const expected = (ROWS * percent) / 100;
    expect(Math.abs(count - expected)).toBeLessThan(5 * Math.sqrt(expected));
  });

  it('never pauses at 0 percent, and always at 100', () => {
    expect(pauses(0, 3).every((us) => us === 0)).toBe(true);
    expect(pauses(100, 3, 1000).every((us) => us > 0)).toBe(true);
  });

  it('pauses for 1 to 2047 us, each doubling as often', () => {
    const lengths = pauses(100, 3, 11_000);
    const doublings = new Array<number>(11).fill(0);
    for (const us of lengths) doublings[Math.floor(Math.log2(us))]!++;
    expect(doublings.every((count) => Math.abs(count - 1000) < 5 * Math.sqrt(1000))).toBe(true);
  });

  it('leaves gaps that do not depend on the last one', () => {
    const rows = pauses(10, 5);
    const after = rows.filter((_, i) => i > 0 && rows[i - 1]! > 0);
    const share = after.filter((us) => us > 0).length / after.length;
    expect(share).toBeGreaterThan(0.08);
    expect(share).toBeLessThan(0.12);
  });

  it('does the same for a seed', () => {
    expect(pauses(5, 9, 1000)).toEqual(pauses(5, 9, 1000));
    expect(pauses(5, 9, 1000)).not.toEqual(pauses(5, 10, 1000));
  });
});

describe('parseChaos', () => {
  it('reads percents', () => {
    expect(['0', '2', '0.5', '100'].map(parseChaos)).toEqual([0, 2, 0.5, 100]);
  });

  it.each(['', '-1', '101', '1%', '1e1', 'NaN', '100.1', '.5'])('refuses %j', (text) => {
    expect(() => parseChaos(text)).toThrow('bad chaos: got');
  });
});

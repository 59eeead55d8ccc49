import { describe, expect, it } from 'vitest';
import { checkHistory, checkLogRegisters, printHistory, Random } from '../../../replay/index.js';
import { hasOrder, operationsOf } from './naive.js';
import { randomHistory, type Mix } from './random_history.js';
import { FIRST_OP, logOfHistory } from './register_log.js';

const SMALL: Mix = { operations: 8, processes: 4, keys: 1, failed: 10, values: 3, cas: 0, pending: 10, wrong: 25 };
const MIXES: Readonly<Record<string, Mix>> = {
  'few values': SMALL,
  'unique values': { ...SMALL, values: 0 },
  'two values': { ...SMALL, operations: 9, values: 2, pending: 5, wrong: 30 },
  'much pending': { ...SMALL, operations: 7, processes: 3, values: 2, pending: 50, wrong: 30 },
  'all at once': { ...SMALL, operations: 9, processes: 9, values: 3, pending: 5, wrong: 30 },
};
const LONG: Mix = { ...SMALL, operations: 80, processes: 7, keys: 3, wrong: 2, pending: 2 };
const SEEDS = 300;

describe.each(Object.entries(MIXES))('checkLogRegisters of %s', (_, mix) => {
  it('says what trying all orders says, and blames operations that have none by themselves', () => {
    const verdicts = { ok: 0, violated: 0, unknown: 0 };
    for (let seed = 1; seed <= SEEDS; seed++) {
      const history = randomHistory(seed, mix);
      const log = logOfHistory(history);
      const { verdict, violations } = checkLogRegisters(log);
      verdicts[verdict]++;
      const wanted = hasOrder(history, operationsOf(history, 0)) ? 'ok' : 'violated';
      if (verdict !== wanted) expect({ seed, verdict, history: printHistory(history) }).toBe(wanted);
      for (const { guilty } of violations) {
        const first = FIRST_OP;
        const operations = guilty.map(({ op }) => op - first);
        if (hasOrder(history, operations)) {
          expect({ seed, operations, history: printHistory(history) }).toBe('without an order');
        }
      }
    }
    expect(verdicts.unknown).toBe(0);
    expect(Math.min(verdicts.ok, verdicts.violated)).toBeGreaterThan(SEEDS / 20);
  });
});

describe('checkLogRegisters', () => {
  it.each([2, 3, 5, 0])('says what checkHistory says of longer histories of several pfns, %i values', (values) => {
    const verdicts = { ok: 0, violated: 0, unknown: 0 };
    for (let seed = 1; seed <= SEEDS; seed++) {
      const history = randomHistory(seed, { ...LONG, values, wrong: new Random(seed).below(3) });
      const wanted = checkHistory(history);
      const found = checkLogRegisters(logOfHistory(history));
      verdicts[found.verdict]++;
      const keys = wanted.violations.map(({ key }) => key as number).sort((a, b) => a - b);
      if (found.verdict !== wanted.verdict)
        expect({ seed, found, history: printHistory(history) }).toBe(wanted.verdict);
      expect(found.violations.map(({ pfn }) => pfn)).toEqual(keys);
    }
    expect(verdicts.unknown).toBe(0);
    expect(Math.min(verdicts.ok, verdicts.violated)).toBeGreaterThan(SEEDS / 20);
  });
});

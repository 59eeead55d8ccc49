import { describe, expect, it } from 'vitest';
import { checkHistory, linearizable, printHistory, type HistoryReport } from '../../../replay/index.js';
import { hasOrder, operationsOf } from './naive.js';
import { randomHistory, type Mix } from './random_history.js';
import { smallRegister } from './small.js';

const SMALL = { operations: 8, processes: 4, keys: 1, failed: 10 };
const MIXES: Readonly<Record<string, Mix>> = {
  'few values': { ...SMALL, values: 3, cas: 0, pending: 10, wrong: 25 },
  'unique values': { ...SMALL, values: 0, cas: 0, pending: 10, wrong: 25 },
  'few values, cas': { ...SMALL, values: 3, cas: 40, pending: 20, wrong: 20 },
  'unique values, cas': { ...SMALL, values: 0, cas: 40, pending: 20, wrong: 20 },
  'much pending': { ...SMALL, operations: 7, processes: 3, values: 2, cas: 30, pending: 50, wrong: 30 },
  'two values': { ...SMALL, operations: 9, values: 2, cas: 10, pending: 5, wrong: 30 },
};
const SEEDS = 400;

describe.each(Object.entries(MIXES))('checkHistory of %s', (_, mix) => {
  it('says what trying all orders says', () => {
    const verdicts = { ok: 0, violated: 0, unknown: 0 };
    for (let seed = 1; seed <= SEEDS; seed++) {
      const history = randomHistory(seed, mix);
      const { verdict } = checkHistory(history);
      verdicts[verdict]++;
      const wanted = hasOrder(history, operationsOf(history, 0)) ? 'ok' : 'violated';
      if (verdict !== wanted) expect({ seed, verdict, history: printHistory(history) }).toBe(wanted);
    }
    // Both kinds are among them.
    expect(verdicts.unknown).toBe(0);
    expect(Math.min(verdicts.ok, verdicts.violated)).toBeGreaterThan(SEEDS / 20);
  });

  it('gives a core that has no order, and has one without any of it and those that find what it wrote', () => {
    for (let seed = 1; seed <= SEEDS; seed++) {
      const history = randomHistory(seed, mix);
      for (const { core, isMinimal, message } of checkHistory(history).violations) {
        expect(isMinimal).toBe(true);
        expect(message).not.toBe('');
        const operations = core.map(({ number }) => number - 1);
        expect(hasOrder(history, operations)).toBe(false);
        for (const operation of operations) {
          const rest = withoutFinders(history, operations, operation);
          if (!hasOrder(history, rest)) expect({ seed, operation, history: printHistory(history) }).toBe('needed');
        }
      }
    }
  });
});

function withoutFinders(
  history: Parameters<typeof hasOrder>[0],
  operations: readonly number[],
  gone: number,
): number[] {
  const left = operations.filter((operation) => operation !== gone);
  if (!history.mayWrite(gone)) return left;
  const value = history.value.cells[gone];
  return left
    .filter((operation) => history.found(operation) === value)
    .reduce((rest, finder) => (rest.includes(finder) ? withoutFinders(history, rest, finder) : rest), left);
}

describe('checkHistory', () => {
  it('is not the mutant that does not look at real time', () => {
    const mix = MIXES['few values']!;
    const caught = Array.from({ length: SEEDS }, (_, seed) => randomHistory(seed, mix)).filter((history) => {
      const operations = operationsOf(history, 0);
      const mutant = hasOrder(history, operations, null, false);
      return mutant && checkHistory(history).verdict === 'violated';
    });
    expect(caught.length).toBeGreaterThan(SEEDS / 20);
  });

  it('decides each key by itself, and reports all that are violated', () => {
    for (let seed = 1; seed <= 100; seed++) {
      const history = randomHistory(seed, { ...MIXES['few values, cas']!, operations: 20, keys: 4 });
      const report: HistoryReport = checkHistory(history);
      const wanted = history.keys;
      const violated = Array.from({ length: wanted.count }, (_, key) => wanted.name(key)).filter(
        (key) => !hasOrder(history, operationsOf(history, key)),
      );
      expect(report.violations.map(({ key }) => key)).toEqual(violated);
      expect(report).toMatchObject({ keys: wanted.count, operations: 20, unknown: [] });
      expect(report.verdict).toBe(violated.length > 0 ? 'violated' : 'ok');
    }
  });
});

describe('linearizable', () => {
  it.each(['few values', 'unique values', 'two values'])('says of %s what trying all orders says', (name) => {
    const verdicts = [0, 0];
    for (let seed = 1; seed <= SEEDS; seed++) {
      const history = randomHistory(seed, { ...MIXES[name]!, cas: 0 });
      const operations = operationsOf(history, 0).filter((operation) => history.outcome.cells[operation] !== 2);
      const verdict = linearizable(smallRegister(history, operations));
      verdicts[Number(verdict)]!++;
      expect(verdict).toBe(hasOrder(history, operations));
    }
    expect(Math.min(...verdicts)).toBeGreaterThan(SEEDS / 20);
  });
});

import { describe, expect, it } from 'vitest';
import { History, Random } from '../../../replay/index.js';
import { Removal } from '../../../replay/history/removal.js';
import { hasOrder, operationsOf } from './naive.js';
import { randomHistory } from './random_history.js';

describe('Removal', () => {
  it('leaves an order where there was one', () => {
    let removals = 0;
    for (let seed = 1; seed <= 1500; seed++) {
      const mix = { operations: 8, processes: 3, keys: 1, values: 3, cas: 25, pending: 15, failed: 0, wrong: 8 };
      const history = randomHistory(seed, mix);
      const random = new Random(seed);
      const operations = operationsOf(history, 0).filter((i) => history.endOf(i) < Infinity || history.mayWrite(i));
      if (!hasOrder(history, operations)) continue;
      const removal = new Removal(history, history.values.number(null));
      const some = removal.without(operations, new Set(operations.filter(() => random.below(2) === 0)));
      const one = removal.withoutReaders(operations, operations[random.below(operations.length)]!);
      for (const rest of [some, one]) {
        if (rest.length < operations.length) removals++;
        expect(hasOrder(history, rest)).toBe(true);
      }
    }
    expect(removals).toBeGreaterThan(100);
  });

  it('keeps a write that may have been read from, and the last one of a value that somebody found', () => {
    const history = new History();
    const run = (f: 'read' | 'write', value: number): number => {
      const operation = history.invoke({ process: 0, f, key: null, value });
      history.complete(operation, 'ok', {}, value);
      return operation;
    };
    const [first, second, over, read] = [run('write', 5), run('write', 5), run('write', 7), run('read', 5)];
    const removal = new Removal(history, history.values.number(null));
    const all = [first, second, over, read];
    expect(removal.without(all, new Set([first, second]))).toEqual([second, over, read]);
    expect(removal.without([first, second, read], new Set([second]))).toEqual([first, second, read]);
    expect(removal.withoutReaders(all, second)).toEqual([first, over]);
  });
});

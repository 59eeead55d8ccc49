import { describe, expect, it } from 'vitest';
import { KeyEvents } from '../../../replay/history/key_events.js';
import { RegisterOperations } from '../../../replay/history/register_operations.js';
import { RegisterSearch } from '../../../replay/history/register_search.js';
import { RegisterZones } from '../../../replay/history/register_zones.js';
import type { History } from '../../../replay/index.js';
import { randomHistory, type Mix } from './random_history.js';

const MIX: Mix = { operations: 60, processes: 5, keys: 1, values: 0, cas: 0, pending: 5, failed: 5, wrong: 0 };

function loaded(history: History): RegisterOperations {
  const initial = history.values.number(null);
  const ops = new RegisterOperations(history);
  ops.load(new KeyEvents(history).of(0), initial);
  return ops;
}

describe('RegisterSearch and RegisterZones', () => {
  it.each<[string, Mix]>([
    ['few operations that overlap', MIX],
    ['many', { ...MIX, processes: 12 }],
    ['more than a word has bits', { ...MIX, operations: 400, processes: 3, pending: 60 }],
  ])('agree where each value is written once: %s', (_, mix) => {
    const verdicts = { ok: 0, violated: 0, unknown: 0 };
    let slots = 0;
    for (let seed = 1; seed <= 150; seed++) {
      const history = randomHistory(seed, { ...mix, wrong: seed % 3 });
      const ops = loaded(history);
      const found = new RegisterSearch(ops).run(20_000);
      verdicts[found]++;
      slots = Math.max(slots, ops.slots);
      if (found !== 'unknown') expect(new RegisterZones(history.values.count).decide(ops)).toBe(found);
    }
    if (mix.pending > 5) expect(slots).toBeGreaterThan(32);
    expect(verdicts.ok).toBeGreaterThan(10);
    expect(verdicts.violated).toBeGreaterThan(10);
  });
});

describe('RegisterSearch', () => {
  it('takes little more than a step an operation where few overlap', () => {
    const history = randomHistory(1, { ...MIX, operations: 20_000, processes: 4, values: 5, cas: 20, pending: 0 });
    const search = new RegisterSearch(loaded(history));
    expect(search.run(100_000)).toBe('ok');
    expect(search.steps).toBeLessThan(30_000);
  });

  it('stops where its steps are used up', () => {
    const ops = loaded(randomHistory(1, { ...MIX, values: 5 }));
    const search = new RegisterSearch(ops);
    expect(search.run(ops.done - 1)).toBe('unknown');
    expect(search.run(10_000)).toBe('ok');
  });
});

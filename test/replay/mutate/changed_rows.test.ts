import { describe, expect, test } from 'vitest';
import { rowMoved, rowOf, rowsChanged, rowsSkipped } from '../../../replay/index.js';
import { DONE, Domain, GEOMETRIES, Locals, NEWEST, rows, type Machine } from '../../../src/index.js';

/** A machine that counts at A and C, doubles at D, and keeps at W what it has, as soon as `end` is set. */
const counter: Machine = {
  name: 'counter',
  rows: rows(
    ['A', 'count'],
    ['C', 'count'],
    ['D', 'double', 'load pte'],
    ['W', 'LOCK', 'lock'],
    ['C', 'count'],
    ['E', 'end'],
  ),
  step(r) {
    switch (r.pc) {
      case 0:
      case 1:
        r.i++;
        return r.pc + 1;
      case 2:
        r.i *= 2;
        return 3;
      case 3:
        if (r.end === 0) return 3;
        r.count = r.i;
        return 4;
      case 4:
        r.i++;
        return 5;
      default:
        r.result = r.i;
        return DONE;
    }
  },
};

/** Some CPU: no row of these machines looks at it. */
const CPU = new Domain({ form: NEWEST, geometry: GEOMETRIES.tiny, nrPages: 4 }).cpus[0]!;

/** Runs to the end; `end` is set in the middle of a wait. What is in the locals, and the labels that were run. */
function run(machine: Machine): { result: number; atLock: number; labels: string } {
  const r = new Locals(machine);
  const labels: string[] = [];
  for (let steps = 0; r.pc !== DONE && steps < 20; steps++) {
    labels.push(machine.rows[r.pc]!.label);
    if (labels.filter((label) => label === 'W').length > 2) r.end = 1;
    r.pc = machine.step(r, CPU);
  }
  return { result: r.result, atLock: r.count, labels: labels.join('') };
}

describe('rowOf', () => {
  test('finds a row by its label, by what it does, and by its place among equals', () => {
    expect([
      rowOf(counter, 'D'),
      rowOf(counter, 'D double'),
      rowOf(counter, 'C #1'),
      rowOf(counter, 'C count #2'),
    ]).toEqual([2, 2, 1, 4]);
  });

  test.each(['X', 'C', 'D count', 'C #3'])('refuses %s, which does not name one row', (name) => {
    expect(() => rowOf(counter, name)).toThrow(/counter has \d rows/);
  });
});

describe('rowsChanged', () => {
  test('runs another row in the place of one, which may run the original', () => {
    const changed = rowsChanged(counter, { D: (r, cpu, original) => (original.run(r, cpu), original.run(r, cpu)) });
    expect(run(counter)).toEqual({ result: 5, atLock: 4, labels: 'ACDWWWCE' });
    expect(run(changed)).toEqual({ result: 9, atLock: 8, labels: 'ACDWWWCE' });
    expect(changed.rows).toBe(counter.rows);
  });
});

describe('rowsSkipped', () => {
  test('leaves rows out, and begins no step where one was', () => {
    const skipped = rowsSkipped(counter, { W: 'C #2', 'C #1': 'D' });
    expect(run(skipped)).toEqual({ result: 3, atLock: 0, labels: 'ACDWCE' });
    expect(skipped.rows.map(({ step }) => step)).toEqual(
      counter.rows.map(({ step }) => (step === 'lock' ? undefined : step)),
    );
  });
});

describe('rowMoved', () => {
  test('runs the row after another, once', () => {
    expect(run(rowMoved(counter, 'A', { next: 'C #1', after: 'D' }))).toEqual({
      result: 4,
      atLock: 3,
      labels: 'ACDAWWWCE',
    });
  });

  test('lets a row that waits for a lock wait in its new place', () => {
    expect(run(rowMoved(counter, 'W', { next: 'C #2', after: 'C #2' }))).toEqual({
      result: 5,
      atLock: 5,
      labels: 'ACDWCWWE',
    });
  });

  test('does not run the row on a path that does not come by its place', () => {
    const short = rowsChanged(counter, { A: (_r, _cpu, original) => original.at('D') });
    expect(run(rowMoved(short, 'C #1', { next: 'D', after: 'C #2' }))).toEqual(run(short));
  });

  test('begins the step that it is told to, where the row now is and not where it was', () => {
    const machine = rowMoved(counter, 'A', { next: 'C #1', after: 'D', step: 'store pte' });
    const n = counter.rows.length;
    expect(machine.rows[0]!.step).toBeUndefined();
    expect(machine.rows.slice(2 * n).map(({ step }) => step)).toEqual(Array.from({ length: n }, () => 'store pte'));
  });

  test('does what it is told to in its new place', () => {
    const machine = rowMoved(counter, 'D', { next: 'W', after: 'C #2', run: (r) => ((r.i += 100), 3) });
    expect(run(machine).result).toBe(103);
  });

  test('refuses to follow a row that ends the path', () => {
    expect(() => run(rowMoved(counter, 'A', { next: 'C #1', after: 'E' }))).toThrow('A cannot follow E');
  });
});

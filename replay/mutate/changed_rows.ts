import { AssertionError } from '../../events/index.js';
import type { Cpu, Locals, Machine, Row, Step } from '../../src/index.js';

/**
 * A row by what it is called: its label, `A6.3`; where others have it too, with what the row does, `P3.6 W PMD`; where
 * that is said twice, with its place among them, `P3.6 W generation + 1 #2`.
 */
export type RowName = string;

/** The rows of a machine as they were before a change, for what stands in their place. */
export class OriginalRows {
  readonly machine: Machine;
  readonly #numbers = new Map<RowName, number>();

  constructor(machine: Machine) {
    this.machine = machine;
  }

  /** Number of the row of that name. @throws AssertionError where there is not exactly one */
  at(name: RowName): number {
    let number = this.#numbers.get(name);
    if (number === undefined) this.#numbers.set(name, (number = rowOf(this.machine, name)));
    return number;
  }

  /** Runs the original row at `r.pc`, or the one of that name, and gives where it leads. */
  run(r: Locals, cpu: Cpu, name?: RowName): number {
    if (name !== undefined) r.pc = this.at(name);
    return this.machine.step(r, cpu);
  }
}

/** What runs instead of a row; gives the row to run next, as `Machine.step` does. */
export type RowRun = (r: Locals, cpu: Cpu, rows: OriginalRows) => number;

/** Number of the row of that name. @throws AssertionError where there is not exactly one */
export function rowOf({ name: machine, rows }: Machine, name: RowName): number {
  const [text, place] = name.split(' #');
  const found = rows.flatMap(({ label, does }, row) => (label === text || `${label} ${does}` === text ? [row] : []));
  const row = place === undefined ? found[0] : found[Number(place) - 1];
  if (row === undefined || (place === undefined && found.length > 1)) {
    throw new AssertionError(`${machine} has ${found.length} rows ${JSON.stringify(name)}`);
  }
  return row;
}

/** `machine` with other rows in the place of some; all else it does itself. Steps begin where they did. */
export function rowsChanged(machine: Machine, changes: Readonly<Record<RowName, RowRun>>): Machine {
  const original = new OriginalRows(machine);
  const runs = machine.rows.map((): RowRun | undefined => undefined);
  for (const [name, run] of Object.entries(changes)) runs[rowOf(machine, name)] = run;
  return {
    name: machine.name,
    rows: machine.rows,
    step: (r, cpu) => runs[r.pc]?.(r, cpu, original) ?? machine.step(r, cpu),
  };
}

/**
 * `machine` without some rows, by name: each leads to the row it is given at once. A row that does nothing begins no step:
 * least of all one that waits for a lock.
 */
export function rowsSkipped(machine: Machine, onward: Readonly<Record<RowName, RowName>>): Machine {
  const gone = new Set(Object.keys(onward).map((name) => rowOf(machine, name)));
  const runs = Object.entries(onward).map(([name, next]): [RowName, RowRun] => [
    name,
    (_r, _cpu, rows) => rows.at(next),
  ]);
  return {
    ...rowsChanged(machine, Object.fromEntries(runs)),
    rows: machine.rows.map((row, i) => (gone.has(i) ? joined(row) : row)),
  };
}

/** Where a row goes that is moved. */
export interface Move {
  /** What follows the place that it leaves. */
  readonly next: RowName;
  /** After this row it runs instead; which must not be the last of a path. */
  readonly after: RowName;
  /** The step that it begins there; default the one that it began. Without one nobody could see it come late. */
  readonly step?: Step;
  /** What it does there; default what it did. */
  readonly run?: RowRun;
}

/**
 * `machine` with a row moved to a later place on its path. Where the path ends before it comes there, the row never runs;
 * where a path does not come by the place that the row leaves, the row does not run either.
 *
 * Which of the two a path is on must be in its program counter, for all else is the machine's own. So there are three
 * copies of its `n` rows: `[0, n)` before the place that the row leaves; `[n, 2n)` from there on; and at `2n + p` the moved
 * row, from which the path goes on at `p`.
 */
export function rowMoved(machine: Machine, name: RowName, { next, after, step, run }: Move): Machine {
  const n = machine.rows.length;
  const original = new OriginalRows(machine);
  const [row, onward, place] = [rowOf(machine, name), rowOf(machine, next), rowOf(machine, after)];
  const { label, does, step: own } = machine.rows[row]!;
  const begins = step ?? own;
  const late: Row = begins === undefined ? { label, does } : { label, does, step: begins };
  return {
    name: machine.name,
    rows: [
      ...machine.rows.map((r, i) => (i === row ? joined(r) : r)),
      ...machine.rows,
      ...machine.rows.map(() => late),
    ],
    step(r, cpu) {
      const { pc } = r;
      if (pc === row) return n + onward;
      if (pc < n) return machine.step(r, cpu);
      if (pc >= 2 * n) {
        r.pc = row;
        const to = run === undefined ? machine.step(r, cpu) : run(r, cpu, original);
        return to === row ? pc : pc - 2 * n; // to itself: it waits for a lock
      }
      r.pc = pc - n;
      const to = machine.step(r, cpu);
      if (pc - n === place && to < 0) throw new AssertionError(`${name} cannot follow ${after}: the path ends there`);
      return to < 0 ? to : pc - n === place ? 2 * n + to : n + to;
    },
  };
}

function joined({ label, does }: Row): Row {
  return { label, does };
}

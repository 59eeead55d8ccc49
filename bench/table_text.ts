import { showSpread, table } from './report.js';
import type { JudgedRow, TableReport } from './run_table.js';

/** The table as people read it: the machine, then a line a row. */
export function tableText({ machine, rows }: TableReport): string {
  const { date, cpu, node, compiler, rounds, load, tiny } = machine;
  const body = rows.map((row) => [row.text, showMeasured(row), row.target, showVerdict(row)]);
  return [
    `${date}, ${cpu}, node ${node}, C: ${compiler}`,
    `load ${load.before.toFixed(1)} before, ${load.after.toFixed(1)} after; ${rounds} rounds in turn: median (least..most)`,
    ...(tiny ? ['--tiny: these numbers mean nothing'] : []),
    '',
    table(['what', 'measured', 'target', 'verdict'], body),
  ].join('\n');
}

/** `1.24 (1.20..1.31) x`, or `skipped: no gcc`. */
export function showMeasured({ measured, unit, why }: JudgedRow): string {
  return measured === undefined ? `skipped: ${why}` : `${showSpread(measured)} ${unit}`;
}

/** `met`, `falls short`, `skipped`. */
export function showVerdict({ verdict }: JudgedRow): 'met' | 'falls short' | 'skipped' {
  return verdict === 'not run' ? 'skipped' : verdict;
}

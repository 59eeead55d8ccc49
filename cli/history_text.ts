import type { History, HistoryReport, Operation, RegisterViolation } from '../replay/index.js';
import { colors } from './colors.js';

/** Violated keys, operations of a core, and undecided keys that people are shown; --json has all of them. */
const VIOLATIONS_SHOWN = 10;
const OPERATIONS_SHOWN = 20;
const UNKNOWN_SHOWN = 20;

/** The report of a checked history as people read it; the same input gives the same lines. */
export function historyText(file: string, history: History, report: HistoryReport): string[] {
  const { operations, keys, violations, unknown } = report;
  const processes = history.processes.count;
  const lines = [
    `${file}: ${count(operations, 'operation')} of ${count(processes, 'process')} on ${count(keys, 'key')}`,
  ];
  for (const violation of violations.slice(0, VIOLATIONS_SHOWN)) lines.push(...violationText(history, violation));
  if (violations.length > VIOLATIONS_SHOWN) {
    lines.push(`... and ${violations.length - VIOLATIONS_SHOWN} more violated keys`);
  }
  if (unknown.length > 0) {
    const more = unknown.length > UNKNOWN_SHOWN ? `, and ${unknown.length - UNKNOWN_SHOWN} more` : '';
    lines.push(`unknown keys: ${unknown.slice(0, UNKNOWN_SHOWN).map(json).join(', ')}${more}`);
  }
  lines.push(`verdict: ${report.verdict}`);
  return lines;
}

function violationText(history: History, { key, core, isMinimal, message }: RegisterViolation): string[] {
  const where = key === null ? '' : `key ${json(key)}: `;
  const lines = [`${where}${colors.red('error')}: ${message}`];
  if (core.length > 1) {
    const why = isMinimal ? 'each of them is needed' : 'fewer may do';
    lines.push(`  these ${core.length} operations have no order, ${why}:`);
  }
  for (const row of table(core.slice(0, OPERATIONS_SHOWN).map((operation) => cellsOf(history, operation)))) {
    lines.push(`  ${row}`);
  }
  if (core.length > OPERATIONS_SHOWN) lines.push(`  ... and ${core.length - OPERATIONS_SHOWN} more`);
  return lines;
}

function cellsOf(history: History, { f, number, value, process, from, to, lines, outcome }: Operation): string[] {
  const does = Array.isArray(value) ? `${json(value[0])} -> ${json(value[1])}` : json(value);
  const end = to === null ? (outcome === 'info' ? 'nobody knows' : 'never') : String(to);
  const time = history.isTimed ? [`time ${from}..${end}`] : [];
  return [`${f} ${number}`, does, `process ${json(process)}`, ...time, `lines ${lines[0]}, ${lines[1] ?? 'none'}`];
}

/** Columns side by side. */
function table(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]!.length))) ?? [];
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column]!))
      .join('  ')
      .trimEnd(),
  );
}

function count(n: number, what: string): string {
  if (n === 1) return `1 ${what}`;
  return `${n} ${what}${what.endsWith('s') ? 'es' : 's'}`;
}

function json(value: unknown): string {
  return JSON.stringify(value);
}

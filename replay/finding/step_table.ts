import type { StepRow } from '../explore/program.js';
import type { ToldPath, ToldStep } from './told_path.js';

/** What a table looks like. */
export interface TableOptions {
  /** Marks of steps, by their index: one or two characters, shown beside the number. */
  readonly marks?: ReadonlyMap<number, string>;
  /** What a marked line is given to, for colour; it must keep its width. */
  readonly style?: (line: string) => string;
}

/** Columns of the whole, as far as it can be had, and the least that a column may have. */
const WIDTH = 118;
const CELL_MIN = 30;
const GAP = '  ';
/** In front of a row, below its function. */
const INDENT = '  ';

/**
 * A path as lines: a column an agent, the step's number in front. In a column stand the operation that begins, the function
 * where it is another than above, then row by row the label of the spec, the access and what it read or `old -> new`, and
 * what the operation returned. Rows that are joined to a step and touched nothing shared are left out, but for
 * one that hit an assertion.
 */
export function stepTable(names: readonly string[], path: ToldPath, options: TableOptions = {}): string[] {
  const { before, steps } = path;
  const { marks, style } = options;
  const cells = cellsOf(names, steps);
  const widest = names.map((name, agent) => widestOf([name, ...(before[agent] ?? [])], agent, steps, cells));
  const gutter = String(steps.length).length + 3;
  const room = Math.floor((WIDTH - gutter) / names.length) - GAP.length;
  const widths = shares(widest, Math.max(room, CELL_MIN));
  const line = (front: string, columns: readonly string[]): string =>
    `${front.padEnd(gutter)}${columns.map((text, agent) => GAP + text.padEnd(widths[agent]!)).join('')}`.trimEnd();
  const lines = [line('step', names)];
  const inColumn = (agent: number, text: string): string[] => names.map((_, column) => (column === agent ? text : ''));
  before.forEach((texts, agent) => lines.push(...texts.map((text) => line('', inColumn(agent, text)))));
  steps.forEach(({ agent }, i) => {
    const mark = marks?.get(i);
    const front = `${(mark ?? '').padEnd(2)} ${String(i + 1).padStart(gutter - 3)}`;
    cells[i]!.flatMap((cell) => wrapped(cell, widths[agent]!)).forEach((text, row) => {
      const whole = line(row === 0 ? front : '', inColumn(agent, text));
      lines.push(mark === undefined || style === undefined ? whole : style(whole));
    });
  });
  return lines;
}

/** By step: the lines of its cell. */
function cellsOf(names: readonly string[], steps: readonly ToldStep[]): string[][] {
  const labels = names.map((_, agent) =>
    Math.max(
      0,
      ...steps.filter((step) => step.agent === agent).flatMap(({ rows }) => rows.map(({ label }) => label.length)),
    ),
  );
  const functions = names.map(() => '');
  return steps.map(({ agent, begins, rows, died, ends }) => {
    const isShown = ({ effect }: StepRow, row: number): boolean =>
      row === 0 || effect !== '' || (died && row === rows.length - 1);
    const cell: string[] = [];
    if (begins !== undefined) {
      cell.push(begins);
      functions[agent] = '';
    }
    for (const row of rows.filter(isShown)) {
      if (row.where !== functions[agent]) cell.push(`${row.where}()`);
      functions[agent] = row.where;
      cell.push(`${INDENT}${rowText(row, labels[agent]!)}`);
    }
    return [...cell, ...ends];
  });
}

function rowText({ label, does, effect }: StepRow, labelWidth: number): string {
  const text = `${label.padEnd(labelWidth)} ${does}`;
  return effect === '' ? text : `${text}: ${effect}`;
}

/** Columns that an agent needs. */
function widestOf(
  others: readonly string[],
  agent: number,
  steps: readonly ToldStep[],
  cells: readonly string[][],
): number {
  const own = cells.filter((_, i) => steps[i]!.agent === agent).flat();
  return Math.max(...[...others, ...own].map((text) => text.length));
}

/** Widths of columns: each gets what it needs, and what the narrow ones leave over goes to the wide ones. */
function shares(widest: readonly number[], fair: number): number[] {
  const wide = widest.filter((need) => need > fair).length;
  const spare = widest.reduce((sum, need) => sum + Math.max(0, fair - need), 0);
  const most = fair + (wide === 0 ? 0 : Math.floor(spare / wide));
  return widest.map((need) => Math.min(need, most));
}

/** A cell's line in lines of at most `columns`; those that follow are set in, for they belong to it. */
function wrapped(text: string, columns: number): string[] {
  const lines: string[] = [];
  let rest = text;
  while (rest.length > columns) {
    const space = rest.lastIndexOf(' ', columns);
    const isDeep = space > INDENT.length * 4;
    const end = isDeep ? space : columns;
    lines.push(rest.slice(0, end).trimEnd());
    rest = `${INDENT.repeat(4)}${rest.slice(end).trimStart()}`;
  }
  return [...lines, rest];
}

import type { Claim, Race } from './contest.js';
import type { Lane } from './race.js';
import { ratios, spread, type Spread } from './statistics.js';

/** A race that was run. */
export interface Outcome {
  readonly race: Race;
  readonly lanes: readonly Lane[];
}

/** A row of the tables: numbers for machines, text for people. */
export interface Row {
  readonly race: string;
  readonly name: string;
  readonly unit: string;
  readonly value?: Spread;
  /** Time over that of the race's first contestant, in the same round. */
  readonly ratio?: Spread;
  readonly skipped?: string;
}

/** What became of a claim. */
export interface Verdict {
  readonly text: string;
  readonly target: string;
  readonly measured?: Spread;
  readonly verdict: 'met' | 'falls short' | 'not run';
}

/** A row for each contestant. */
export function rowsOf({ race, lanes }: Outcome): Row[] {
  const first = lanes[0]!;
  return lanes.map((lane) => {
    const row = { race: race.name, name: lane.name, unit: race.unit === 'ns' ? 'ns' : 'M/s' };
    if (lane.skipped !== undefined) return { ...row, skipped: lane.skipped };
    const value = spread(race.unit === 'ns' ? lane.nsPerUnit : lane.nsPerUnit.map((ns) => 1e3 / ns));
    if (lane === first || race.unit !== 'ns' || first.skipped !== undefined) return { ...row, value };
    return { ...row, value, ratio: spread(ratios(lane.nsPerUnit, first.nsPerUnit)) };
  });
}

/** The claim judged by its median. */
export function verdictOf(claim: Claim, outcomes: readonly Outcome[]): Verdict {
  const lanes = outcomes.find(({ race }) => race.name === claim.race)?.lanes;
  const lane = lanes?.find(({ name }) => name === claim.contestant);
  const { text } = claim;
  if ('atLeast' in claim) {
    const target = `>= ${claim.atLeast} M/s`;
    if (lane === undefined || lane.nsPerUnit.length === 0) return { text, target, verdict: 'not run' };
    const measured = spread(lane.nsPerUnit.map((ns) => 1e3 / ns));
    return { text, target, measured, verdict: measured.median >= claim.atLeast ? 'met' : 'falls short' };
  }
  const target = `<= ${claim.atMost} x ${claim.ratioTo}`;
  const other = lanes?.find(({ name }) => name === claim.ratioTo);
  if (lane === undefined || other === undefined || lane.nsPerUnit.length * other.nsPerUnit.length === 0) {
    return { text, target, verdict: 'not run' };
  }
  const measured = spread(ratios(lane.nsPerUnit, other.nsPerUnit));
  return { text, target, measured, verdict: measured.median <= claim.atMost ? 'met' : 'falls short' };
}

/** `1.24 (1.20..1.31)`. */
export function showSpread({ median, min, max }: Spread): string {
  return `${median.toFixed(2)} (${min.toFixed(2)}..${max.toFixed(2)})`;
}

/** A Markdown table. */
export function table(head: readonly string[], body: readonly (readonly string[])[]): string {
  const widths = head.map((title, i) => Math.max(title.length, ...body.map((cells) => cells[i]!.length)));
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, i) => cell.padEnd(widths[i]!)).join(' | ')} |`;
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...body.map(line)].join('\n');
}

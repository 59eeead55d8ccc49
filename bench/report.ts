import type { Claim, Race } from './contest.js';
import type { Lane, Run } from './race.js';
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
  /** The same by the clock, where it is by processor time. */
  readonly byClock?: Spread;
  /** Time over that of the race's first contestant, in the same round. */
  readonly ratio?: Spread;
  readonly skipped?: string;
}

/** What became of a claim. */
export interface Verdict {
  readonly text: string;
  readonly target: string;
  readonly measured?: Spread;
  /** Of what was measured. */
  readonly unit?: string;
  /** How many times as good as was promised: 1 is just met. */
  readonly score?: Spread;
  readonly verdict: 'met' | 'falls short' | 'not run';
  /** Where it was not run. */
  readonly why?: string;
}

/** A row for each contestant. */
export function rowsOf({ race, lanes }: Outcome): Row[] {
  const first = lanes[0]!;
  return lanes.map((lane) => {
    const row = { race: race.name, name: lane.name, unit: race.unit };
    if (lane.skipped !== undefined) return { ...row, skipped: lane.skipped };
    const value = spread(inUnit(race, nsPerUnit(race, lane)));
    const byClock = race.by === 'clock' ? {} : { byClock: spread(inUnit(race, lane.runs.map(clockNsPerUnit))) };
    if (lane === first || race.unit !== 'ns' || first.skipped !== undefined) return { ...row, value, ...byClock };
    return { ...row, value, ...byClock, ratio: spread(ratios(nsPerUnit(race, lane), nsPerUnit(race, first))) };
  });
}

/** The claim judged by its median. */
export function verdictOf(claim: Claim, outcomes: readonly Outcome[]): Verdict {
  const { text } = claim;
  const { target, unit, better, bound } = promised(claim);
  const outcome = outcomes.find(({ race }) => race.name === claim.race);
  const values = outcome === undefined ? 'its race was not run' : valuesOf(claim, outcome);
  if (typeof values === 'string') return { text, target, unit, verdict: 'not run', why: values };
  const measured = spread(values);
  const score = spread(
    values.map((value) => (better === 'more' ? value / bound : bound / Math.max(value, bound / 1e3))),
  );
  return { text, target, unit, measured, score, verdict: score.median >= 1 ? 'met' : 'falls short' };
}

/** What a claim says, in words and as a number. */
export function promised(claim: Claim): { target: string; unit: string; better: 'more' | 'less'; bound: number } {
  if ('atLeast' in claim) {
    return { target: `>= ${claim.atLeast} M/s`, unit: 'M/s', better: 'more', bound: claim.atLeast };
  }
  if ('atMost' in claim) {
    return { target: `<= ${claim.atMost} x ${claim.ratioTo}`, unit: 'x', better: 'less', bound: claim.atMost };
  }
  if ('timesAsFast' in claim) {
    const target = `>= ${claim.timesAsFast} x as fast as ${claim.ratioTo}`;
    return { target, unit: 'x', better: 'more', bound: claim.timesAsFast };
  }
  if ('secondsMax' in claim) {
    return { target: `<= ${claim.secondsMax} s`, unit: 's', better: 'less', bound: claim.secondsMax };
  }
  const target = `<= ${claim.megabytesMax} MB more than ${claim.residentOver}`;
  return { target, unit: 'MB', better: 'less', bound: claim.megabytesMax };
}

/** What was measured, round by round; or why nothing was. */
function valuesOf(claim: Claim, { race, lanes }: Outcome): number[] | string {
  const lane = lanes.find(({ name }) => name === claim.contestant);
  const otherName =
    'ratioTo' in claim ? claim.ratioTo : 'residentOver' in claim ? claim.residentOver : claim.contestant;
  const other = lanes.find(({ name }) => name === otherName);
  const why = whyNoValues(lane) ?? whyNoValues(other);
  if (lane === undefined || other === undefined || why !== undefined) return why!;
  if ('atLeast' in claim) return nsPerUnit(race, lane).map((ns) => 1e3 / ns);
  if ('atMost' in claim) return ratios(nsPerUnit(race, lane), nsPerUnit(race, other));
  if ('timesAsFast' in claim) return ratios(nsPerUnit(race, other), nsPerUnit(race, lane));
  if ('secondsMax' in claim) return lane.runs.map((run, i) => (nsPerUnit(race, lane)[i]! * run.count) / 1e9);
  return lane.runs.map(({ residentBytes }, round) => (residentBytes - other.runs[round]!.residentBytes) / 2 ** 20);
}

function whyNoValues(lane: Lane | undefined): string | undefined {
  if (lane === undefined) return 'its contestant was not run';
  return lane.skipped ?? (lane.runs.length === 0 ? 'it made no round' : undefined);
}

function nsPerUnit(race: Race, { runs }: Lane): number[] {
  return runs.map(race.by === 'clock' ? clockNsPerUnit : ({ processorNs, count }) => processorNs / count);
}

function clockNsPerUnit({ clockNs, count }: Run): number {
  return clockNs / count;
}

function inUnit(race: Race, ns: readonly number[]): readonly number[] {
  return race.unit === 'ns' ? ns : ns.map((each) => 1e3 / each);
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

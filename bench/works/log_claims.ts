import { OURS, type Measure } from '../contestants/contestants.js';
import type { Verdict } from '../report.js';
import { ratios, spread } from '../statistics.js';

/** What was measured of a contestant's part of a step, round by round; nothing where it is skipped or cannot do it. */
export type Rounds = (contestant: string, part: string) => readonly Measure[];

const STATE_MS_MAX = 20;
/** Ten where the whole log is read; two last segments of a log may differ by 2. */
const RECOVERY_RATIO_MAX = 3;
/** A tenth of fewer events is much less than a segment, and says nothing. */
const RECOVERY_EVENTS_MIN = 1e7;

/** Million a second, by the processor time or by the clock. */
export function rates(measures: readonly Measure[], by: 'cpuNs' | 'wallNs'): number[] {
  return measures.map((measure) => (measure.count / measure[by]) * 1e3);
}

/** What became of the claims of issue 5, each judged by its median; times of a single moment by the slowest. */
export function logVerdicts(of: Rounds, events: number): Verdict[] {
  const append = of(OURS, 'append');
  const overJson = (other: string): Verdict =>
    atLeast(
      `append, times as fast as ${other}`,
      ratios(rates(append, 'cpuNs'), rates(of(other, 'append'), 'cpuNs')).filter(Number.isFinite),
      10,
      'x',
    );
  const recovery = events >= RECOVERY_EVENTS_MIN ? of(OURS, 'recovery') : [];
  return [
    atLeast('append, chain included', rates(append, 'cpuNs'), 10),
    atLeast('append, fdatasync per 2048 events (clock)', rates(of(OURS, 'append, synced'), 'wallNs'), 2),
    overJson('JSONL, ours'),
    overJson('JSON.stringify'),
    atLeast('verify, chain included', rates(of(OURS, 'verify'), 'cpuNs'), 12),
    atLeast('who set the entry of a pfn', rates(of(OURS, 'set by'), 'cpuNs'), 1),
    atLeast('history of a pfn', rates(of(OURS, 'history'), 'cpuNs'), 0.2),
    atMost('the state at any moment (slowest)', slowest(of(OURS, 'state at')), STATE_MS_MAX, 'ms'),
    atMost(
      'recovery, over that of a tenth of the log',
      ratios(wallOf(recovery), wallOf(of(OURS, 'recovery, tenth'))).filter(Number.isFinite),
      RECOVERY_RATIO_MAX,
      'x',
    ),
  ];
}

/** Bytes that a process may have more for ten times the log. */
export function residentVerdict(addedBytes: readonly number[]): Verdict {
  const added = addedBytes.map((bytes) => bytes / 2 ** 20);
  return atMost('memory for ten times the log, more by', added, 64, 'MB');
}

function wallOf(measures: readonly Measure[]): number[] {
  return measures.map(({ wallNs }) => wallNs);
}

function slowest(measures: readonly Measure[]): number[] {
  return measures.map(({ eachMs }) => Math.max(...eachMs!));
}

function atLeast(text: string, values: readonly number[], bound: number, unit = 'M/s'): Verdict {
  return verdict(text, `>= ${bound} ${unit}`, values, (median) => median >= bound);
}

function atMost(text: string, values: readonly number[], bound: number, unit: string): Verdict {
  return verdict(text, `<= ${bound} ${unit}`, values, (median) => median <= bound);
}

function verdict(text: string, target: string, values: readonly number[], holds: (median: number) => boolean): Verdict {
  if (values.length === 0) return { text, target, verdict: 'not run' };
  const measured = spread(values);
  return { text, target, measured, verdict: holds(measured.median) ? 'met' : 'falls short' };
}

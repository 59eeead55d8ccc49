import type { StateDigest } from '../events/state_digest.js';

/** The verdict of a replay: never a guess. */
export type Verdict = 'ok' | 'violated' | 'incomplete' | 'unknown';

/** A recorded value that is not what the model says. Lines are 1-based in the unzipped log; pfns and mfns are hex. */
export interface Divergence {
  readonly file: string;
  readonly line: number;
  readonly seq: number;
  readonly cpu: number;
  readonly task: string;
  readonly operation: string;
  readonly pfn: string;
  /** What the model says. */
  readonly expected: string;
  /** What was recorded. */
  readonly actual: string;
  /** The line of the log, for people. */
  readonly text: string;
  /** Of a value that was looked at: the line that wrote the pfn last, where one of the log did. */
  readonly writtenAt?: number;
}

/** A comparison of the model's list with a dump. */
export interface FinalReport {
  readonly dump: string;
  /** Words compared. */
  readonly compared: number;
  readonly differences: number;
  /** Stores past the dump's last pfn: played, checked by return and kind. */
  readonly beyond: number;
}

/** Counts that add up over the steps of a recording. */
export interface Counts {
  /** Event lines. */
  events: number;
  /** Outermost calls by function. */
  operations: Record<string, number>;
  /** Event lines by task. */
  tasks: Record<string, number>;
  /** Lines of events that a replay does not use, by name. */
  unused: Record<string, number>;
  checked: { returns: number; lookups: number; entries: number; ptes: number; frames: number };
  unchecked: { returns: number; lookups: number; entries: number };
  divergences: Divergence[];
  divergenceCount: number;
  /** Events that the log says were lost, lines that its header counts and that are not there, returns or entries alone. */
  lost: { events: number; lines: number; returns: number };
  /** Calls that began while a call of another task was open. */
  overlaps: number;
  /** How often what was recorded was explained by another order than that of the entry lines. */
  reordered: number;
  /** Recorded values that only another order would explain, and those were too many to try. */
  undecided: number;
  /** Lines with the timestamp of the line before, on another CPU. */
  ties: number;
}

/** One log between two dumps. */
export interface StepReport {
  readonly log: string;
  readonly from: string | null;
  readonly to: string | null;
  /** Null: it could not be replayed to its end. */
  verdict: Verdict | null;
  final: FinalReport | null;
  checkpoints: FinalReport[];
  /** Of an event log of ours that its writer has not closed: it still writes, or was killed. */
  open?: true;
}

/** Why a replay could not go on. */
export interface ReplayError {
  readonly file: string;
  readonly message: string;
  readonly line?: number;
  readonly byte?: number;
  readonly got?: string;
  readonly expected?: string;
}

/** What a replay found. */
export interface ReplayReport extends Counts {
  verdict: Verdict | null;
  exitCode: number;
  kernel: string;
  /** Nobody said which kernel it was: it is the newest. */
  kernelAssumed?: boolean;
  form: string;
  geometry: string;
  readonly memory: string;
  readonly steps: StepReport[];
  /** The last step's. */
  final: FinalReport | null;
  /** Digests of the final state, of a replay whose events are kept, or come from a log of events. */
  state?: StateDigest;
  error?: ReplayError;
}

/** Divergences are kept up to here; all are counted. */
export const DIVERGENCES_MAX = 1000;

/** Nothing counted yet. */
export function noCounts(): Counts {
  return {
    events: 0,
    operations: {},
    tasks: {},
    unused: {},
    checked: { returns: 0, lookups: 0, entries: 0, ptes: 0, frames: 0 },
    unchecked: { returns: 0, lookups: 0, entries: 0 },
    divergences: [],
    divergenceCount: 0,
    lost: { events: 0, lines: 0, returns: 0 },
    overlaps: 0,
    reordered: 0,
    undecided: 0,
    ties: 0,
  };
}

/** Counts `n` more of `name`. */
export function add(counts: Record<string, number>, name: string, n: number): void {
  counts[name] = (counts[name] ?? 0) + n;
}

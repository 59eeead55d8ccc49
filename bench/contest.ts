/**
 * What is measured. A `Work` does the same amount of work each time `run` is called, and says how much that was and a
 * checksum of what it saw: contestants of a race that see different things are not doing the same work.
 */
export interface Work {
  /** Not timed: puts things back where `run` begins. */
  prepare?(): unknown;
  run(): Done | Promise<Done>;
  /** Not timed: stops what `prepare` has started. */
  settle?(): unknown;
}

/** What a run did: how many units (look-ups, rows, events), and what it saw. */
export interface Done {
  readonly count: number;
  readonly check: number;
  /** Processor time of the thread that counts, where others of the process work beside it. */
  readonly threadNs?: number;
}

/** What a contestant's process is told. */
export interface Setting {
  /** Where its files go; other contestants of the race use it too. It is gone at the end. */
  readonly folder: string;
  /** Sizes so small that numbers mean nothing: to see that all of it runs. */
  readonly tiny: boolean;
}

/** Why a contestant cannot run on this machine; thrown by its `node` or its work. */
export class CannotRun extends Error {}

/** Where a contestant's work comes from: our own code, or a C program that speaks the same protocol. */
export type Source =
  { readonly node: (setting: Setting) => Work | Promise<Work> } | { readonly c: (setting: Setting) => string[] };

/** One contestant: a process of its own, so that no other one's types are in its inline caches. */
export type Contestant = Source & {
  readonly name: string;
  readonly needs?: Needs;
};

/** What a contestant needs of the machine. */
export interface Needs {
  readonly cpus?: number;
  /** Of its process. */
  readonly memoryBytes?: number;
  /** In the folder for temporary files. */
  readonly diskBytes?: number;
}

/** Contestants that take turns, round by round, and whose times may therefore be compared. */
export interface Race {
  readonly name: string;
  /** `ns`: nanoseconds a unit; `M/s`: million units a second. */
  readonly unit: 'ns' | 'M/s';
  /** Processor time where it does not say `clock`: for what waits, or works in several threads. */
  readonly by?: 'clock';
  readonly contestants: readonly Contestant[];
  /** Whether all contestants must see the same (checksums equal). */
  readonly sameWork: boolean;
  /** For what takes long: no more than so many. */
  readonly heatsMax?: number;
  readonly roundsMax?: number;
  /** Runs before the first that counts; default 5. */
  readonly warmUps?: number;
}

/** What a claim says of the median of its rounds. */
export type Bound =
  /** Million units a second. */
  | { readonly atLeast: number }
  /** Times of this contestant over those of `ratioTo`, in the same round. */
  | { readonly ratioTo: string; readonly atMost: number }
  /** Times of `ratioTo` over those of this contestant, in the same round. */
  | { readonly ratioTo: string; readonly timesAsFast: number }
  /** A whole run. */
  | { readonly secondsMax: number }
  /** Most that the process had in memory, over that of `residentOver`. */
  | { readonly residentOver: string; readonly megabytesMax: number };

/** A number that the project promises; `docs/benchmarks.md` says what came of it. */
export type Claim = { readonly text: string; readonly race: string; readonly contestant: string } & Bound;

/** The contestants that a claim looks at. */
export function contestantsOf(claim: Claim): string[] {
  const others = 'ratioTo' in claim ? [claim.ratioTo] : 'residentOver' in claim ? [claim.residentOver] : [];
  return [claim.contestant, ...others];
}

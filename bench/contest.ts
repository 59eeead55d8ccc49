/**
 * What is measured. A `Work` does the same amount of work each time `run` is called, and says how much that was and a
 * checksum of what it saw: contestants of a race that see different things are not doing the same work.
 */
export interface Work {
  /** Not timed: puts things back where `run` begins. */
  prepare?(): void;
  run(): Done;
}

/** What a run did: how many units (look-ups, rows, events), and what it saw. */
export interface Done {
  readonly count: number;
  readonly check: number;
}

/** Where a contestant's work comes from: our own code, or a C program that speaks the same protocol. */
export type Source = { readonly node: () => Work | Promise<Work> } | { readonly c: readonly string[] };

/** One contestant: a process of its own, so that no other one's types are in its inline caches. */
export type Contestant = Source & { readonly name: string };

/** Contestants that take turns, round by round, and whose times may therefore be compared. */
export interface Race {
  readonly name: string;
  /** `ns`: nanoseconds a unit; `M/s`: million units a second. */
  readonly unit: 'ns' | 'M/s';
  readonly contestants: readonly Contestant[];
  /** Whether all contestants must see the same (checksums equal). */
  readonly sameWork: boolean;
}

/** A number that the project promises; `docs/benchmarks.md` says what came of it. */
export type Claim = {
  readonly text: string;
  readonly race: string;
  readonly contestant: string;
} & (
  | { readonly atLeast: number }
  /** Times of this contestant over those of `ratioTo`, in the same round. */
  | { readonly ratioTo: string; readonly atMost: number }
);

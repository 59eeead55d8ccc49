import { burst } from './burst.js';
import { countOutcomes, type CountedOutcome } from './count_outcomes.js';
import { exploreTraces } from './dpor.js';
import { fewestPreemptions } from './fewest_preemptions.js';
import type { Program } from './program.js';
import { preemptionsOf, type Schedule } from './schedule.js';
import { collisionChance } from './state_hash.js';

/** How a program is explored: one picker, or `auto`, a burst of random and PCT runs before the proof. */
export const METHODS = ['auto', 'random', 'pct', 'stateful', 'dpor', 'fewest'] as const;

/** Name of a method. */
export type Method = (typeof METHODS)[number];

/** Bounds and choices of an exploration. */
export interface ExploreOptions {
  readonly method: Method;
  /** Of random and PCT runs. */
  readonly seed: number;
  /** Random and PCT runs. */
  readonly runs: number;
  /** Depth of the bugs that PCT is after: one more than the changes of priority in a run. */
  readonly depth: number;
  /** Most states to keep. */
  readonly statesMax: number;
  /** Most executions of DPOR. */
  readonly executionsMax: number;
  /** Keeps the states themselves, not their hashes. */
  readonly exact: boolean;
  /** Stops at the first violation, and does not look for others. */
  readonly first: boolean;
}

/** What explorations do where nobody says otherwise. */
export const EXPLORE_DEFAULTS: ExploreOptions = {
  method: 'auto',
  seed: 1,
  runs: 200,
  depth: 3,
  statesMax: 2 ** 20,
  executionsMax: 1_000_000,
  exact: false,
  first: false,
};

/** A path that breaks something. */
export interface Violation {
  /** Bits of the checks that it breaks (`Program.checks`). */
  readonly bits: number;
  readonly schedule: Schedule;
  readonly preemptions: number;
  /** No path that breaks any check has fewer preemptions, and none with as few has fewer steps: this was proven. */
  readonly minimal: boolean;
}

/** What an exploration came to. */
export interface Exploration {
  /** `ok`: everything was explored, nothing is broken. `unknown`: a bound was hit first. */
  readonly verdict: 'ok' | 'violated' | 'unknown';
  /** What was done, in words, in order. */
  readonly method: readonly string[];
  /** Paths that were run one by one. */
  readonly executions: number;
  /** All interleavings, where they were counted to the last; undefined where not. */
  readonly interleavings: bigint | undefined;
  /** Those of them that break a check. */
  readonly violating: bigint | undefined;
  /** States that were kept. */
  readonly states: number;
  /** Which bound was hit, and how far it came. */
  readonly bound: string | undefined;
  /** Chance that two states were taken for one, where hashes stood for them. */
  readonly collisions: number;
  /** What all interleavings lead to, where they were counted. */
  readonly outcomes: readonly CountedOutcome[];
  /** Smallest first. */
  readonly violations: readonly Violation[];
}

/**
 * Explores `program` from where it stands, and leaves it there.
 *
 * `auto` looks for a violation with a burst of runs, for what most schedules show is found at once there, and only then
 * goes through everything: what a burst finds is made as small as can be, what it does not find is counted or disproved.
 */
export function explore(program: Program, options: Partial<ExploreOptions> = {}): Exploration {
  return new Explorer(program, { ...EXPLORE_DEFAULTS, ...options }).run();
}

class Explorer {
  readonly #program: Program;
  readonly #options: ExploreOptions;
  readonly #method: string[] = [];
  readonly #violations: Violation[] = [];
  #executions = 0;
  #interleavings: bigint | undefined;
  #violating: bigint | undefined;
  #states = 0;
  #bound: string | undefined;
  #collisions = 0;
  #outcomes: readonly CountedOutcome[] = [];
  /** Everything was explored. */
  #exhausted = false;

  constructor(program: Program, options: ExploreOptions) {
    this.#program = program;
    this.#options = options;
  }

  run(): Exploration {
    switch (this.#options.method) {
      case 'random':
      case 'pct':
        this.#burst(this.#options.method);
        break;
      case 'stateful':
        this.#count();
        break;
      case 'dpor':
        this.#traces();
        break;
      case 'fewest':
        this.#fewest();
        break;
      case 'auto':
        this.#burst('both');
        if (this.#violations.length > 0) this.#fewest();
        if (this.#violations.length === 0 || !this.#options.first) this.#count();
    }
    return this.#result();
  }

  /** Random runs, which prove nothing. A burst before the proof ends at its first hit; one alone tells how many hit. */
  #burst(picker: 'random' | 'pct' | 'both'): void {
    const { seed, runs, depth, method, first } = this.#options;
    const stopAtFirst = method === 'auto' || first;
    const found = burst(this.#program, { seed, runs, depth, picker, stopAtFirst });
    this.#executions += found.runs;
    const name = { random: 'random', pct: 'PCT', both: 'random and PCT' }[picker];
    const all = `${grouped(found.hits)} hit (${chanceText(found.hitRate)})`;
    const rate = found.hits === 0 ? 'no hit' : stopAtFirst ? 'the last is a hit' : all;
    const { pct } = found;
    const bound =
      picker === 'random' ? '' : `; PCT hits a bug of depth ${pct.depth} with at least ${chanceText(pct.bound)}`;
    this.#method.push(`${grouped(found.runs)} ${name} runs (seed ${seed}): ${rate}${bound}`);
    if (found.first !== undefined) this.#add(found.first.bits, found.first.schedule, false);
    else if (picker !== 'both') this.#bound = `${grouped(found.runs)} runs, which prove nothing`;
  }

  /** The counter-example with the fewest preemptions, then the fewest steps. */
  #fewest(): void {
    const { statesMax, exact } = this.#options;
    const found = fewestPreemptions(this.#program, { statesMax, exact });
    this.#states = Math.max(this.#states, found.states);
    if (!exact) this.#collisions = Math.max(this.#collisions, collisionChance(found.states));
    const nodes = `${grouped(found.states)} states`;
    switch (found.verdict) {
      case 'found':
        this.#method.push(`0-1 breadth-first search: fewest preemptions, then fewest steps, of all paths (${nodes})`);
        this.#violations.length = 0;
        this.#add(found.bits, found.schedule, true);
        return;
      case 'none':
        this.#method.push(`0-1 breadth-first search: all paths (${nodes})`);
        this.#exhausted = true;
        return;
      case 'bound':
        this.#method.push(
          `0-1 breadth-first search: all paths with less than ${found.preemptions} preemptions (${nodes})`,
        );
        this.#bound = `${nodes} kept, ${found.preemptions} preemptions not exhausted`;
        if (found.seen !== undefined) this.#addIfNew(found.seen.bits, found.seen.schedule);
    }
  }

  /** Every state once, every interleaving counted. */
  #count(): void {
    const { statesMax, exact } = this.#options;
    const counts = countOutcomes(this.#program, { statesMax, exact });
    this.#states = counts.states;
    if (!exact) this.#collisions = Math.max(this.#collisions, collisionChance(counts.states));
    const how = exact ? 'stateful search, the states kept' : 'stateful search';
    if (!counts.complete) {
      this.#bound = `${grouped(counts.states)} states kept, the deepest path ${counts.deepest} steps`;
      this.#method.push(`${how}: stopped at ${grouped(counts.states)} states`);
      for (const { bits, schedule } of counts.seen) this.#addIfNew(bits, schedule);
      return;
    }
    this.#method.push(
      `${how}: all ${grouped(counts.interleavings)} interleavings through ${grouped(counts.states)} states`,
    );
    this.#exhausted = true;
    this.#interleavings = counts.interleavings;
    this.#outcomes = counts.outcomes;
    const broken = counts.outcomes.filter((outcome) => outcome.broken !== 0);
    this.#violating = broken.reduce((sum, { count }) => sum + count, 0n);
    // Each check once, by the outcome that takes fewest switches.
    for (const { broken: bits, schedule } of [...broken].sort((a, b) => a.switches - b.switches)) {
      this.#addIfNew(bits, schedule);
    }
    if (broken.length > 0 && this.#options.method === 'auto' && !this.#violations.some(({ minimal }) => minimal)) {
      this.#replaceByFewest();
    }
  }

  /** What the count found and the burst did not: as small as can be, before the others. */
  #replaceByFewest(): void {
    const others = this.#violations.splice(0);
    this.#fewest();
    if (this.#violations.length === 0) this.#violations.push(...others);
    else for (const { bits, schedule } of others) this.#addIfNew(bits, schedule);
  }

  /** One interleaving of each Mazurkiewicz trace. */
  #traces(): void {
    const { executionsMax, first } = this.#options;
    const search = exploreTraces(this.#program, { executionsMax, goOn: !first });
    this.#executions += search.executions;
    for (const { bits, schedule } of search.violations) this.#addIfNew(bits, schedule);
    const executions = `${grouped(search.executions)} executions, ${search.blocked} blocked`;
    this.#exhausted = search.complete;
    if (search.complete) this.#method.push(`optimal DPOR: all ${executions}`);
    else {
      this.#method.push(`optimal DPOR: ${executions}`);
      if (this.#violations.length === 0) this.#bound = `${grouped(search.executions)} executions`;
    }
  }

  #addIfNew(bits: number, schedule: Schedule): void {
    const known = this.#violations.reduce((sum, violation) => sum | violation.bits, 0);
    if ((bits & ~known) !== 0) this.#add(bits, schedule, false);
  }

  #add(bits: number, schedule: Schedule, minimal: boolean): void {
    this.#violations.push({ bits, schedule, minimal, preemptions: preemptionsOf(this.#program, schedule) });
  }

  #result(): Exploration {
    const verdict = this.#violations.length > 0 ? 'violated' : this.#exhausted ? 'ok' : 'unknown';
    return {
      verdict,
      method: this.#method,
      executions: this.#executions,
      interleavings: this.#interleavings,
      violating: this.#violating,
      states: this.#states,
      bound: this.#bound,
      collisions: this.#collisions,
      outcomes: this.#outcomes,
      violations: this.#violations,
    };
  }
}

/** A number with commas between its thousands. */
export function grouped(value: bigint | number): string {
  return String(value).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** A chance in percent, or as one in so many where that is little. */
function chanceText(chance: number): string {
  return chance >= 0.001 ? `${Number((100 * chance).toPrecision(2))} %` : `1 in ${grouped(Math.ceil(1 / chance))}`;
}

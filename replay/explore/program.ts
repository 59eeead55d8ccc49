import type { Accesses } from './accesses.js';
import type { StateHash } from './state_hash.js';

/** Somebody who takes steps: a thread, or whoever else may act next (an evictor of translations, a drain of stores). */
export interface Agent {
  readonly name: string;
  /** What its next step is called; undefined where it has ended. */
  readonly at: string | undefined;
  /** Whether it may take that step now. An agent that finds its lock taken has a next step and is not enabled. */
  readonly enabled: boolean;
  /** Location of the lock that its next step takes (`Accesses`); undefined where that step takes none. */
  readonly waitsFor: number | undefined;
}

/** Takes in a state pair by pair. `StateHash` is one; one that keeps the pairs keeps the state itself. */
export interface StateSink {
  add(key: number, value: number): void;
}

/** One row of what a step did, for a report. */
export interface StepRow {
  /** The function that it is of. */
  readonly where: string;
  /** Its label in the spec. */
  readonly label: string;
  /** Its access, in the spec's notation. */
  readonly does: string;
  /** What it read, or `old -> new`; empty where it touched nothing shared. */
  readonly effect: string;
}

/**
 * What an explorer explores: agents that share a state, one step at a time. It says nothing of what a step does, so a
 * program can be the p2m of a kernel or three lines of a textbook.
 *
 * Three promises make what is found exact. The state, with all that `outcome` and `broken` will be made of, is what `hash`
 * mixes: equal states have the same futures. No state comes back on one path: a step always leads on. And an agent is not
 * enabled only because the lock at `waitsFor` is taken (or because it has ended, or the path has).
 */
export interface Program {
  readonly agents: readonly Agent[];
  /** The path is over for all of them, whoever still has a step: an assertion was hit. */
  readonly ended: boolean;
  /** Takes the next step of `agents[agent]`, which is enabled. */
  step(agent: number): void;
  /** Like `step`, and says what it did, row by row. Slow: for reports. */
  tell(agent: number): readonly StepRow[];
  /** Takes the last step back that is not taken back yet. */
  undo(): void;
  /** Takes the last `steps` back, for a program that can do it faster than one by one. */
  rewind?(steps: number): void;
  /** Mixes the whole state, in any order, into an empty hash. */
  hash(into: StateHash): void;
  /** Gives the whole state, pair by pair: two states are equal where their sets of pairs are. Slow: `hash` is for speed. */
  state(into: StateSink): void;
  /** Adds the accesses of the last step that was taken. Undefined after `undo`. */
  accesses(into: Accesses): void;
  /** What a path led to that ends here, as a text: equal texts are one outcome. */
  outcome(): string;
  /** What the program is held to: names, at most 31. */
  readonly checks: readonly string[];
  /**
   * Bits of the checks (by their place in `checks`) that are broken: by the path so far, and where it ends here (`isOver`)
   * by its end too. What a path has broken stays broken.
   */
  broken(): number;
  /** Says of a check that `broken` gives here what is wrong, in words that can be checked by hand. */
  explain(check: number): string;
}

/** Whether `agent` may step: it could, and the path goes on. */
export function mayStep(program: Program, agent: number): boolean {
  return !program.ended && program.agents[agent]?.enabled === true;
}

/** Whether the path ends here: nobody may step. */
export function isOver(program: Program): boolean {
  return program.ended || !program.agents.some((agent) => agent.enabled);
}

/** Whether nobody may step, though no assertion ended the path and somebody has a step left: a deadlock. */
export function isStuck(program: Program): boolean {
  return !program.ended && isOver(program) && program.agents.some((agent) => agent.at !== undefined);
}

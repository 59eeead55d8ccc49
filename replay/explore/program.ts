import type { StateHash } from './state_hash.js';

/** Somebody who takes steps: a thread, or whoever else may act next (an evictor of translations, a drain of stores). */
export interface Agent {
  readonly name: string;
  /** What its next step is called; undefined where it has ended. */
  readonly at: string | undefined;
  /** Whether it may take that step now. An agent that finds its lock taken has a next step and is not enabled. */
  readonly enabled: boolean;
}

/**
 * What an explorer explores: agents that share a state, one step at a time. It says nothing of what a step does, so a
 * program can be the p2m of a kernel or three lines of a textbook.
 *
 * Two promises make counts exact. The state, with all that `outcome` will be made of, is what `hash` mixes: equal hashes
 * have the same futures. And no state comes back on one path: a step always leads on.
 */
export interface Program {
  readonly agents: readonly Agent[];
  /** The path is over for all of them, whoever still has a step: an assertion was hit. */
  readonly ended: boolean;
  /** Takes the next step of `agents[agent]`, which is enabled. */
  step(agent: number): void;
  /** Takes the last step back that is not taken back yet. */
  undo(): void;
  /** Mixes the whole state, in any order, into an empty hash. */
  hash(into: StateHash): void;
  /** What a path led to that ends here, as a text: equal texts are one outcome. */
  outcome(): string;
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

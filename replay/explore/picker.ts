import type { IntList } from './int_list.js';
import type { Program } from './program.js';

/** Nobody may step. */
export const NOBODY = -1;

/**
 * Chooses who steps next, and so the interleaving. Each has the loop over the steps to itself, not one call a step out of a
 * shared one: so the loop is compiled with its choice in it, also where two pickers take turns.
 */
export interface Picker {
  /** Runs `program` from where it stands to its end; `path` gets the agents that stepped, and nothing else. */
  run(program: Program, path: IntList): void;
}

/** Takes the last `steps` back. */
export function takeBack(program: Program, steps: number): void {
  if (program.rewind !== undefined) program.rewind(steps);
  else for (let i = 0; i < steps; i++) program.undo();
}

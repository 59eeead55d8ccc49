import { isOver, isStuck, mayStep, switchesOf, type Program } from '../../../replay/index.js';

/** What is known of an outcome after every interleaving was run, one by one. */
export interface Enumerated {
  count: bigint;
  switches: number;
}

/** Runs every interleaving from where the program stands, and keeps no state: the reference of all counting. */
export function enumerate(program: Program): Map<string, Enumerated> {
  const found = new Map<string, Enumerated>();
  const path: number[] = [];
  const visit = (): void => {
    if (isOver(program)) {
      const key = `${isStuck(program)} ${program.outcome()}`;
      const known = found.get(key) ?? { count: 0n, switches: Infinity };
      known.count++;
      known.switches = Math.min(known.switches, switchesOf(path));
      found.set(key, known);
      return;
    }
    program.agents.forEach((_, agent) => {
      if (!mayStep(program, agent)) return;
      program.step(agent);
      path.push(agent);
      visit();
      path.pop();
      program.undo();
    });
  };
  visit();
  return found;
}

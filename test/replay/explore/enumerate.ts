import { isOver, isStuck, mayStep, switchesOf, type Program } from '../../../replay/index.js';

/** What is known of an outcome after every interleaving was run, one by one. */
export interface Enumerated {
  count: bigint;
  switches: number;
}

/** What a path is counted by where it ends: as text and deadlock. */
function endOf(program: Program): string {
  return `${isStuck(program)} ${program.outcome()}`;
}

/** Runs every interleaving from where the program stands, and keeps no state: the reference of all counting. */
export function enumerate(program: Program, keyOf: (program: Program) => string = endOf): Map<string, Enumerated> {
  const found = new Map<string, Enumerated>();
  const path: number[] = [];
  const visit = (): void => {
    if (isOver(program)) {
      const key = keyOf(program);
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

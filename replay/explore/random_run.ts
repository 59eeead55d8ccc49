import { isStuck, mayStep, type Program } from './program.js';
import type { Random } from './random.js';
import type { Schedule } from './schedule.js';

/** One path through a program. */
export interface RandomRun {
  readonly schedule: Schedule;
  readonly outcome: string;
  readonly deadlock: boolean;
}

/**
 * One path whose every step is a fair choice among those who may take one: quick to try, it proves nothing, and paths are
 * not equally likely. The steps are taken back.
 */
export function randomRun(program: Program, random: Random): RandomRun {
  const schedule: number[] = [];
  for (;;) {
    const able = program.agents.flatMap((_, agent) => (mayStep(program, agent) ? [agent] : []));
    const agent = able[random.below(able.length)];
    if (agent === undefined) break;
    program.step(agent);
    schedule.push(agent);
  }
  const run = { schedule, outcome: program.outcome(), deadlock: isStuck(program) };
  for (let i = 0; i < schedule.length; i++) program.undo();
  return run;
}

import { IntList } from './int_list.js';
import { NOBODY, takeBack, type Picker } from './picker.js';
import { isStuck, type Agent, type Program } from './program.js';
import type { Random } from './random.js';
import type { Schedule } from './schedule.js';

/** A fair choice among those who may step. Paths are not equally likely: one with fewer choices is likelier. */
export class RandomPicker implements Picker {
  readonly #random: Random;
  readonly #able: number[] = [];

  constructor(random: Random) {
    this.#random = random;
  }

  run(program: Program, path: IntList): void {
    const { agents } = program;
    path.clear();
    while (!program.ended) {
      const agent = this.#pick(agents);
      if (agent === NOBODY) return;
      program.step(agent);
      path.push(agent);
    }
  }

  #pick(agents: readonly Agent[]): number {
    const able = this.#able;
    let count = 0;
    for (let agent = 0; agent < agents.length; agent++) if (agents[agent]!.enabled) able[count++] = agent;
    return count === 0 ? NOBODY : able[this.#random.below(count)]!;
  }
}

/** One path through a program. */
export interface RandomRun {
  readonly schedule: Schedule;
  readonly outcome: string;
  readonly deadlock: boolean;
}

/** One path whose every step is a fair choice: quick to try, it proves nothing. The steps are taken back. */
export function randomRun(program: Program, random: Random): RandomRun {
  const path = new IntList();
  new RandomPicker(random).run(program, path);
  const run = { schedule: path.toArray(), outcome: program.outcome(), deadlock: isStuck(program) };
  takeBack(program, path.length);
  return run;
}

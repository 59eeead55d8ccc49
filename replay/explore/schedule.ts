import { usageError } from '../../events/index.js';
import { isOver, mayStep, type Program } from './program.js';

/** Who took which step, from the first on: indices of a program's agents. */
export type Schedule = readonly number[];

/** Changes of agent between steps that follow each other; one after an agent has ended counts too. */
export function switchesOf(schedule: Schedule): number {
  return schedule.filter((agent, i) => i > 0 && agent !== schedule[i - 1]).length;
}

/**
 * Preemptions: changes away from an agent that could have gone on. The steps are taken back.
 *
 * @param schedule fits the program
 */
export function preemptionsOf(program: Program, schedule: Schedule): number {
  let preemptions = 0;
  schedule.forEach((agent, i) => {
    const last = schedule[i - 1];
    if (last !== undefined && last !== agent && mayStep(program, last)) preemptions++;
    program.step(agent);
  });
  schedule.forEach(() => {
    program.undo();
  });
  return preemptions;
}

/**
 * Runs `schedule` to its end and gives the outcome; the steps are taken back, whatever happens.
 *
 * @param labels what each step must be called, where that is known
 * @throws {P2mError} code `usage`: an agent may not step or is at another step, or steps are left when the schedule ends
 */
export function follow(program: Program, schedule: Schedule, labels: readonly string[] = []): string {
  let taken = 0;
  try {
    for (const agent of schedule) {
      const label = labels[taken];
      const at = program.agents[agent]?.at;
      if (!mayStep(program, agent) || (label !== undefined && label !== at)) {
        throw unfit(program, taken, `${program.agents[agent]?.name ?? `agent ${agent}`} (${label ?? at ?? 'ended'})`);
      }
      program.step(agent);
      taken++;
    }
    if (!isOver(program)) throw unfit(program, taken, 'the end');
    return program.outcome();
  } finally {
    while (taken-- > 0) program.undo();
  }
}

function unfit(program: Program, taken: number, got: string): Error {
  const able = program.agents.filter((_, agent) => mayStep(program, agent)).map(({ name, at }) => `${name} (${at})`);
  return usageError(`the schedule does not apply at step ${taken + 1}`, {
    got,
    expected: able.length === 0 ? 'the end' : able.join(' or '),
  });
}

import type { Program } from '../explore/program.js';
import type { Schedule } from '../explore/schedule.js';

/**
 * Walks along `schedule` from where the program stands, and takes all steps back, whatever happens.
 *
 * @param take takes the step of `agent`, the `i`-th of the schedule from 0 on
 * @param end asks what is asked where the schedule ends
 */
export function walk<T>(
  program: Program,
  schedule: Schedule,
  take: (agent: number, i: number) => void,
  end: () => T,
): T {
  let taken = 0;
  try {
    for (const agent of schedule) {
      take(agent, taken);
      taken++;
    }
    return end();
  } finally {
    while (taken-- > 0) program.undo();
  }
}

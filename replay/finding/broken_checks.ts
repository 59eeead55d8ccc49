import { isOver, type Program } from '../explore/program.js';
import type { Schedule } from '../explore/schedule.js';
import { walk } from './walk.js';

/** A check that a path breaks, and since when. */
export interface BrokenCheck {
  /** Its place in `Program.checks`. */
  readonly check: number;
  readonly name: string;
  /** What is wrong where the path ends, in the program's words. */
  readonly message: string;
  /** Steps after which it is first broken: 0 is the state before all. */
  readonly steps: number;
  /** It is broken where the path has come to its end, and was not before. */
  readonly atEnd: boolean;
}

/** The checks of `bits` that are broken along `schedule`, in the order of their places. The program is left where it is. */
export function brokenChecks(program: Program, schedule: Schedule, bits: number): readonly BrokenCheck[] {
  const since = new Map<number, Pick<BrokenCheck, 'steps' | 'atEnd'>>();
  const look = (steps: number): void => {
    const broken = program.broken() & bits;
    program.checks.forEach((_, check) => {
      if ((broken & (1 << check)) !== 0 && !since.has(check)) since.set(check, { steps, atEnd: isOver(program) });
    });
  };
  look(0);
  return walk(
    program,
    schedule,
    (agent, i) => {
      program.step(agent);
      look(i + 1);
    },
    () =>
      [...since]
        .sort(([a], [b]) => a - b)
        .map(([check, first]) => ({ check, name: program.checks[check]!, message: program.explain(check), ...first })),
  );
}

import { isOver, mayStep, type Program } from '../explore/program.js';
import type { Schedule } from '../explore/schedule.js';
import { StepOrder } from './step_order.js';

/** Two steps of a path, counted from 0: swapping those two alone makes it pass. */
export interface CriticalPair {
  readonly first: number;
  readonly second: number;
  /** The path that passes, to its end. */
  readonly passing: Schedule;
}

/** Most steps that are taken to look for a pair: some seconds, for paths of thousands of steps. */
const STEPS_MAX = 2_000_000;

/**
 * Finds the race that a failing path turns on: two steps of different agents
 *
 *  - that depend on each other, and nothing that stands between them must come after the first and before the second: so
 *    they come to stand side by side when others, which may, move out of their way;
 *  - with those moved and the two as they were, the path still breaks one of `bits`;
 *  - with the two in the other order, it breaks none at its end. After the swap it goes on by the old order; who cannot step
 *    when it is his turn misses it; and when that order is used up, whoever stepped last goes on for as long as he can, and
 *    then the first who can.
 *
 * Of several, the one whose second step comes first, and then whose first step comes last: what follows is mostly
 * consequence. `none` where no single swap passes; `unknown` where none of those passes that `stepsMax` left time for.
 *
 * @param bits checks that the path breaks
 */
export function criticalPair(
  program: Program,
  schedule: Schedule,
  bits: number,
  stepsMax = STEPS_MAX,
): CriticalPair | 'none' | 'unknown' {
  if (bits === 0) return 'none';
  const order = new StepOrder(program, schedule);
  let steps = 0;
  for (let second = 1; second < schedule.length; second++) {
    for (const first of order.races(second)) {
      steps += 2 * schedule.length;
      if (steps > stepsMax) return 'unknown';
      const passing = passingSwap(program, { schedule, bits, order, first, second });
      if (passing !== undefined) return { first, second, passing };
    }
  }
  return 'none';
}

/** Two steps that may be swapped. */
interface Race {
  readonly schedule: Schedule;
  readonly bits: number;
  readonly order: StepOrder;
  readonly first: number;
  readonly second: number;
}

function passingSwap(program: Program, { schedule, bits, order, first, second }: Race): Schedule | undefined {
  const between = Array.from({ length: second - first - 1 }, (_, i) => first + 1 + i);
  const agents = (steps: readonly number[]): number[] => steps.map((step) => schedule[step]!);
  const before = [...schedule.slice(0, first), ...agents(between.filter((step) => !order.precedes(first, step)))];
  const after = [...agents(between.filter((step) => order.precedes(first, step))), ...schedule.slice(second + 1)];
  const [one, other] = [schedule[first]!, schedule[second]!];
  const old = goOn(program, [...before, one, other], after, false);
  if (old === undefined || (old.broken & bits) === 0) return undefined;
  const swapped = goOn(program, [...before, other, one], after, true);
  return swapped !== undefined && (swapped.broken & bits) === 0 ? swapped.path : undefined;
}

/** A path, and what it has broken where it ends. */
interface Tried {
  readonly path: Schedule;
  readonly broken: number;
}

/** Takes the steps of `start`, undefined where one cannot be taken, then those of `rest` that can, and `toEnd` all others. */
function goOn(program: Program, start: Schedule, rest: Schedule, toEnd: boolean): Tried | undefined {
  const path: number[] = [];
  const take = (agent: number): boolean => {
    if (!mayStep(program, agent)) return false;
    program.step(agent);
    path.push(agent);
    return true;
  };
  try {
    if (!start.every(take)) return undefined;
    rest.forEach(take);
    while (toEnd && !isOver(program)) {
      if (!take(path.at(-1)!)) take(program.agents.findIndex((_, agent) => mayStep(program, agent)));
    }
    return { path: [...path], broken: program.broken() };
  } finally {
    path.forEach(() => {
      program.undo();
    });
  }
}

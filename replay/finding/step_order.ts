import { AccessKind, Accesses } from '../explore/accesses.js';
import type { Program } from '../explore/program.js';
import type { Schedule } from '../explore/schedule.js';
import { walk } from './walk.js';

/**
 * Which steps of a path had to come before which: those of one agent, those that depend on each other (they share a
 * location, and one of them does more than read it), and whoever stands between. All other pairs may change places.
 */
export class StepOrder {
  readonly #schedule: Schedule;
  /** By step: its locations, and whether it does more than read there. */
  readonly #touched: readonly ReadonlyMap<number, boolean>[];
  /** By step, by agent: how many steps of that agent happen before it, itself included. */
  readonly #clocks: readonly (readonly number[])[];
  /** By step: how many steps its agent has taken with it. */
  readonly #ordinals: readonly number[];

  /** The order along `schedule`; the program is left where it is. */
  constructor(program: Program, schedule: Schedule) {
    this.#schedule = schedule;
    this.#touched = touchedBy(program, schedule);
    const counts = program.agents.map(() => 0);
    this.#ordinals = schedule.map((agent) => ++counts[agent]!);
    const clocks: number[][] = [];
    this.#clocks = clocks;
    schedule.forEach((agent, j) => {
      const clock = program.agents.map(() => 0);
      // Backwards: what a later one knows to come before needs no look of its own.
      for (let i = j - 1; i >= 0; i--) {
        if (clock[schedule[i]!]! < this.#ordinals[i]! && this.#depend(i, j)) join(clock, clocks[i]!);
      }
      clock[agent] = this.#ordinals[j]!;
      clocks.push(clock);
    });
  }

  /** Whether step `i`, which is the earlier, had to come before step `j`. */
  precedes(i: number, j: number): boolean {
    return this.#clocks[j]![this.#schedule[i]!]! >= this.#ordinals[i]!;
  }

  /**
   * Steps of other agents that race with `step`, latest first: they come before it, the two depend on each other, and none
   * between them must come after the one and before the other.
   */
  races(step: number): number[] {
    const found: number[] = [];
    const between = this.#clocks[step]!.map(() => 0);
    for (let i = step - 1; i >= 0; i--) {
      if (!this.precedes(i, step)) continue;
      const agent = this.#schedule[i]!;
      if (agent !== this.#schedule[step] && between[agent]! < this.#ordinals[i]!) found.push(i);
      join(between, this.#clocks[i]!);
    }
    return found;
  }

  /** Whether two steps are of one agent, or share a location that not both only read. */
  #depend(i: number, j: number): boolean {
    if (this.#schedule[i] === this.#schedule[j]) return true;
    const others = this.#touched[j]!;
    for (const [location, changes] of this.#touched[i]!) {
      const other = others.get(location);
      if (other !== undefined && (changes || other)) return true;
    }
    return false;
  }
}

/** Makes `clock` the least that is at least both. */
function join(clock: number[], other: readonly number[]): void {
  for (let agent = 0; agent < clock.length; agent++) clock[agent] = Math.max(clock[agent]!, other[agent]!);
}

function touchedBy(program: Program, schedule: Schedule): ReadonlyMap<number, boolean>[] {
  const accesses = new Accesses();
  const steps: Map<number, boolean>[] = [];
  return walk(
    program,
    schedule,
    (agent) => {
      program.step(agent);
      accesses.clear();
      program.accesses(accesses);
      const touched = new Map<number, boolean>();
      for (let i = 0; i < accesses.count; i++) {
        const location = accesses.locations[i]!;
        touched.set(location, touched.get(location) === true || accesses.kinds[i] !== AccessKind.read);
      }
      steps.push(touched);
    },
    () => steps,
  );
}

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
    schedule.forEach((agent, j) => {
      const clock = program.agents.map(() => 0);
      clocks.forEach((other, i) => {
        if (this.depend(i, j)) other.forEach((count, a) => (clock[a] = Math.max(clock[a]!, count)));
      });
      clock[agent] = this.#ordinals[j]!;
      clocks.push(clock);
    });
    this.#clocks = clocks;
  }

  /** Whether two steps are of one agent, or share a location that not both only read. */
  depend(i: number, j: number): boolean {
    if (this.#schedule[i] === this.#schedule[j]) return true;
    const others = this.#touched[j]!;
    for (const [location, changes] of this.#touched[i]!) {
      const other = others.get(location);
      if (other !== undefined && (changes || other)) return true;
    }
    return false;
  }

  /** Whether step `i`, which is the earlier, had to come before step `j`. */
  precedes(i: number, j: number): boolean {
    return this.#clocks[j]![this.#schedule[i]!]! >= this.#ordinals[i]!;
  }
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

import { AccessKind, Accesses, isOver, isStuck, mayStep, type Program, type Schedule } from '../../../replay/index.js';

/** What a program leads to, one interleaving at a time: the reference of all partial order reduction. */
export interface NaiveTraces {
  /** Mazurkiewicz traces, each as a text. */
  readonly traces: ReadonlySet<string>;
  /** Ends, each as deadlock and outcome. */
  readonly ends: ReadonlySet<string>;
}

/** An end as a text. */
export function endOf(program: Program): string {
  return `${isStuck(program)} ${program.broken()} ${program.outcome()}`;
}

/** Runs every interleaving from where the program stands. */
export function naiveTraces(program: Program): NaiveTraces {
  const traces = new Set<string>();
  const ends = new Set<string>();
  const events: Event[] = [];
  const visit = (): void => {
    if (isOver(program)) {
      traces.add(textOf(events));
      ends.add(endOf(program));
      return;
    }
    program.agents.forEach((_, agent) => {
      if (!mayStep(program, agent)) return;
      events.push(taken(program, agent));
      visit();
      events.pop();
      program.undo();
    });
  };
  visit();
  return { traces, ends };
}

/** The trace of a path, as the text that `naiveTraces` has for it. */
export function traceOf(program: Program, schedule: Schedule): string {
  const events = schedule.map((agent) => taken(program, agent));
  schedule.forEach(() => {
    program.undo();
  });
  return textOf(events);
}

interface Event {
  readonly agent: number;
  readonly touched: readonly { readonly location: number; readonly stores: boolean }[];
  readonly ends: boolean;
}

function taken(program: Program, agent: number): Event {
  const accesses = new Accesses();
  program.step(agent);
  program.accesses(accesses);
  const touched = Array.from({ length: accesses.count }, (_, i) => ({
    location: accesses.locations[i]!,
    stores: accesses.kinds[i] !== AccessKind.read,
  }));
  return { agent, touched, ends: program.ended };
}

/** A trace is its events and the order of those that depend on each other. */
function textOf(events: readonly Event[]): string {
  const counts = new Map<number, number>();
  const names = events.map(({ agent }) => {
    const count = counts.get(agent) ?? 0;
    counts.set(agent, count + 1);
    return `${agent}.${count}`;
  });
  const pairs = events.flatMap((later, k) =>
    events
      .slice(0, k)
      .flatMap((earlier, i) => (dependOnEachOther(earlier, later) ? [`${names[i]!}<${names[k]!}`] : [])),
  );
  return [...names.sort(), ...pairs.sort()].join(' ');
}

function dependOnEachOther(a: Event, b: Event): boolean {
  if (a.agent === b.agent || a.ends || b.ends) return true;
  return a.touched.some((one) =>
    b.touched.some((other) => one.location === other.location && (one.stores || other.stores)),
  );
}

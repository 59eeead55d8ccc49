import { FAULT, Global, KINDS } from '../../events/index.js';
import { lookUp, type Domain } from '../../src/index.js';
import { Accesses } from '../explore/accesses.js';
import { isOver, type Program, type StateSink, type StepRow } from '../explore/program.js';
import { StateHash } from '../explore/state_hash.js';
import { hashEvents } from './memory_hash.js';
import { CHECKS, THREAD_NAMES, type Scenario, type ScenarioFlag } from './scenario.js';
import { ScenarioChecks, type ChecksImage } from './scenario_checks.js';
import { bootScenario } from './scenario_domain.js';
import { ScenarioThread, type OperationResult, type ThreadImage } from './scenario_thread.js';

/** What a path led to, in the fields and the order of a vector's outcome. */
export interface ScenarioOutcome {
  readonly results: readonly (readonly OperationResult[])[];
  /** Look-ups of the watched pfns at the end. */
  readonly final: Readonly<Record<string, string>>;
  /** Pages allocated and freed, by thread. */
  readonly alloc: readonly (readonly [allocated: number, freed: number])[];
  /** 7.0 and all that have the list for tools. */
  readonly lastPfn?: number;
  readonly maxPfn?: number;
  readonly flags: readonly ScenarioFlag[];
}

/** Where everything was before a step. */
interface Saved {
  readonly agent: number;
  readonly events: number;
  readonly thread: ThreadImage;
  readonly checks: ChecksImage;
  readonly memoryHash: Int32Array;
}

/**
 * A scenario as a program to explore: its threads on the model, at the granularity of the vectors, sequentially
 * consistent, with coherent translations. Undo takes back the events, and puts back the locals of the CPU that moved.
 */
export class ScenarioProgram implements Program {
  readonly agents: readonly ScenarioThread[];
  readonly checks = CHECKS;
  /** Look-ups of the watched pfns before the run. */
  readonly initial: Readonly<Record<string, string>>;
  readonly #scenario: Scenario;
  readonly #domain: Domain;
  readonly #checks: ScenarioChecks;
  /** Bits of what the scenario is held to. */
  readonly #held: number;
  readonly #accesses = new Accesses();
  readonly #memoryHash = new StateHash();
  readonly #steps: Saved[] = [];
  readonly #machines = new Map<string, number>();

  /** Boots the domain and runs each thread up to its first step. @throws P2mError where the domain cannot be */
  constructor(scenario: Scenario) {
    this.#scenario = scenario;
    const domain = bootScenario(scenario);
    domain.hold();
    this.#domain = domain;
    this.initial = this.#watched();
    this.#checks = new ScenarioChecks(scenario, domain);
    this.#held = scenario.check.reduce((bits, name) => bits | (1 << CHECKS.indexOf(name)), 0);
    this.agents = scenario.threads.map((operations, i) => new ScenarioThread(domain, i, THREAD_NAMES[i]!, operations));
    this.agents.forEach((thread, i) => {
      thread.settle();
      const accesses = this.#accesses;
      this.#checks.afterStep({ thread: i, inHand: [], finished: thread.finished, eventsFrom: 0, accesses });
    });
  }

  get ended(): boolean {
    return this.agents.some((thread) => thread.died);
  }

  step(agent: number): void {
    const thread = this.agents[agent]!;
    const { batch, memory } = this.#domain;
    const events = batch.length;
    const finished = thread.finished.length;
    this.#steps.push({
      agent,
      events,
      thread: thread.image(),
      checks: this.#checks.image,
      memoryHash: this.#memoryHash.lanes.slice(),
    });
    const inHand = this.agents.map(({ operation }) => operation);
    this.#checks.beforeStep(agent, thread.operation);
    thread.step();
    hashEvents(this.#memoryHash, memory, batch, events);
    this.#checks.afterStep({
      thread: agent,
      inHand,
      finished: thread.finished.slice(finished),
      eventsFrom: events,
      accesses: this.#accesses,
    });
  }

  tell(agent: number): readonly StepRow[] {
    this.step(agent);
    return [];
  }

  undo(): void {
    const saved = this.#steps.pop();
    if (saved === undefined) return;
    this.#domain.rewind(saved.events, this.#domain.ops);
    this.agents[saved.agent]!.restore(saved.thread);
    this.#checks.image = saved.checks;
    this.#memoryHash.lanes.set(saved.memoryHash);
  }

  hash(into: StateHash): void {
    into.join(this.#memoryHash);
    for (const thread of this.agents) thread.hash(into, this.#machineNumber);
    this.#checks.state(into);
  }

  state(into: StateSink): void {
    for (const thread of this.agents) thread.hash(into, this.#machineNumber);
    this.#checks.state(into);
  }

  accesses(into: Accesses): void {
    for (let i = 0; i < this.#accesses.count; i++) into.note(this.#accesses.kinds[i]!, this.#accesses.locations[i]!);
  }

  broken(): number {
    return this.#held & (isOver(this) ? this.#checks.endBroken(this.agents) : this.#checks.broken());
  }

  explain(check: number): string {
    return this.#checks.explain(check);
  }

  outcome(): string {
    return JSON.stringify(this.ends());
  }

  /** What the path led to so far. */
  ends(): ScenarioOutcome {
    const domain = this.#domain;
    return {
      results: this.agents.map((thread) => thread.results),
      final: this.#watched(),
      alloc: this.agents.map((_, cpu) => [this.#checks.allocated(cpu).length, this.#freed(cpu)]),
      ...(domain.form.listForTools
        ? { lastPfn: domain.global(Global.xen_p2m_last_pfn), maxPfn: domain.global(Global['shared_info.max_pfn']) }
        : {}),
      flags: this.#checks.flags(this.agents),
    };
  }

  #watched(): Record<string, string> {
    const { memory } = this.#domain;
    return Object.fromEntries(
      this.#scenario.watch.map((pfn) => {
        const word = lookUp(memory, pfn);
        return [String(pfn), word === FAULT ? 'fault' : memory.codec.format(word)];
      }),
    );
  }

  #freed(cpu: number): number {
    const { batch } = this.#domain;
    let freed = 0;
    for (let i = 0; i < batch.length; i++) {
      if (batch.kind[i] === KINDS.free_page.id && batch.cpu[i] === cpu) freed++;
    }
    return freed;
  }

  readonly #machineNumber = (name: string): number => {
    const known = this.#machines.get(name) ?? this.#machines.size;
    this.#machines.set(name, known);
    return known;
  };
}

import { FAULT, Global, KINDS } from '../../events/index.js';
import { CpuMoments, lookUp, ObservedPort, Touch, type Domain } from '../../src/index.js';
import { Accesses, AccessKind } from '../explore/accesses.js';
import { isOver, type Program, type StateSink, type StepRow } from '../explore/program.js';
import type { StateHash } from '../explore/state_hash.js';
import { CheckAccesses } from './check_accesses.js';
import { PathMemory } from './path_memory.js';
import { CHECKS, THREAD_NAMES, type Scenario, type ScenarioFlag, type ScenarioOperation } from './scenario.js';
import { ScenarioChecks, type ChecksImage } from './scenario_checks.js';
import { bootScenario } from './scenario_domain.js';
import { ScenarioThread, type Finished, type OperationResult } from './scenario_thread.js';
import { Saved, StepStack } from './step_stack.js';
import { StepTeller } from './step_teller.js';

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

/** By `Touch`: how it depends on others. */
const KIND_OF: readonly number[] = (() => {
  const kinds: number[] = [];
  kinds[Touch.read] = kinds[Touch.walk] = kinds[Touch.copy] = AccessKind.read;
  kinds[Touch.write] = kinds[Touch.page] = AccessKind.write;
  kinds[Touch.lock] = AccessKind.acquire;
  kinds[Touch.unlock] = AccessKind.release;
  return kinds;
})();

/** Page p that was freed again has the key DOUBLE_FREED_KEYS - p (path_memory.ts has those above). */
const DOUBLE_FREED_KEYS = -(2 ** 30 + 2 ** 29);
/** More than a thread frees pages twice. */
const FREES_MAX = 2 ** 16;
const NONE: readonly Finished[] = [];

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
  readonly #ports: readonly ObservedPort[];
  readonly #memory: PathMemory;
  readonly #checks: ScenarioChecks;
  readonly #checkAccesses: CheckAccesses;
  /** Bits of what the scenario is held to. */
  readonly #held: number;
  readonly #accesses = new Accesses();
  /** The path: numbers, calls, and what the checks had gathered, step by step. */
  readonly #steps = new StepStack();
  readonly #moments = new CpuMoments();
  readonly #images: ChecksImage[] = [];
  /** By thread: the operation in hand before the last step. */
  readonly #inHand: (ScenarioOperation | undefined)[];
  #ended = false;

  /** Boots the domain and runs each thread up to its first step. @throws P2mError where the domain cannot be */
  constructor(scenario: Scenario) {
    this.#scenario = scenario;
    const domain = bootScenario(scenario);
    domain.hold();
    this.#domain = domain;
    this.#memory = new PathMemory(domain);
    this.#ports = domain.usePorts((memory, batch, cpu) => new ObservedPort(memory, batch, cpu));
    for (const port of this.#ports) port.observer = this.#memory;
    this.initial = this.#watched();
    this.#checks = new ScenarioChecks(scenario, domain);
    this.#checkAccesses = new CheckAccesses(scenario, domain.memory);
    this.#held = scenario.check.reduce((bits, name) => bits | (1 << CHECKS.indexOf(name)), 0);
    this.agents = scenario.threads.map((operations, i) => new ScenarioThread(domain, i, THREAD_NAMES[i]!, operations));
    this.#inHand = this.agents.map(() => undefined);
    this.agents.forEach((thread, i) => {
      thread.settle();
      this.#took(i, 0, 0, 0);
    });
  }

  get ended(): boolean {
    return this.#ended;
  }

  step(agent: number): void {
    const thread = this.agents[agent]!;
    const events = this.#domain.batch.length;
    const finished = thread.finished.length;
    const doubleFreed = this.#ports[agent]!.doubleFreed.length;
    this.#save(agent, thread);
    try {
      for (let i = 0; i < this.agents.length; i++) this.#inHand[i] = this.agents[i]!.operation;
      this.#checks.beforeStep(agent, thread.operation);
      this.#ports[agent]!.clear();
      thread.step();
      this.#took(agent, events, finished, doubleFreed);
    } catch (error) {
      // A machine of the scenario's own did what cannot be: the step is not taken.
      this.undo();
      throw error;
    }
  }

  tell(agent: number): readonly StepRow[] {
    const thread = this.agents[agent]!;
    const teller = new StepTeller(this.#domain, this.#ports[agent]!);
    thread.onRow = teller.onRow;
    try {
      this.step(agent);
    } finally {
      thread.onRow = undefined;
    }
    return teller.rows;
  }

  undo(): void {
    const at = this.#steps.pop();
    const { words } = this.#steps;
    const agent = words[at + Saved.agent]!;
    const thread = this.agents[agent]!;
    this.#memory.rewind(words[at + Saved.events]!);
    const isFresh = words[at + Saved.fresh] === 1;
    thread.popFrom(this.#moments, words[at + Saved.finished]!, words[at + Saved.begun]!, isFresh);
    this.#ports[agent]!.doubleFreed.length = words[at + Saved.doubleFreed]!;
    load(thread.hash, words, at + Saved.threadHash);
    load(this.#memory.hash, words, at + Saved.memoryHash);
    this.#checks.image = this.#images[this.#steps.length]!;
    this.#ended = false;
  }

  hash(into: StateHash): void {
    into.join(this.#memory.hash);
    for (let i = 0; i < this.agents.length; i++) into.join(this.agents[i]!.hash);
    this.#checks.state(into);
  }

  state(into: StateSink): void {
    this.#memory.state(into);
    this.#ports.forEach((port, agent) => {
      addDoubleFreed(into, agent, port, 0);
    });
    for (const thread of this.agents) thread.state(into);
    this.#checks.state(into);
  }

  accesses(into: Accesses): void {
    for (let i = 0; i < this.#accesses.count; i++) into.note(this.#accesses.kinds[i]!, this.#accesses.locations[i]!);
    const { words, last } = this.#steps;
    const agent = words[last + Saved.agent]!;
    const thread = this.agents[agent]!;
    this.#checkAccesses.add(into, {
      begun: words[last + Saved.fresh] === 1 ? this.#inHand[agent] : undefined,
      finished: thread.finished.slice(words[last + Saved.finished]),
      touches: this.#ports[agent]!.touches,
      died: thread.died,
    });
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

  /** Keeps where everything is. */
  #save(agent: number, thread: ScenarioThread): void {
    this.#images[this.#steps.length] = this.#checks.image;
    const at = this.#steps.push();
    const { words } = this.#steps;
    words[at + Saved.agent] = agent;
    words[at + Saved.events] = this.#domain.batch.length;
    words[at + Saved.finished] = thread.finished.length;
    words[at + Saved.begun] = thread.begun;
    words[at + Saved.fresh] = thread.isFresh ? 1 : 0;
    words[at + Saved.doubleFreed] = this.#ports[agent]!.doubleFreed.length;
    save(thread.hash, words, at + Saved.threadHash);
    save(this.#memory.hash, words, at + Saved.memoryHash);
    thread.pushTo(this.#moments);
  }

  /** `agent` has stepped; when it began, there were so many events, and it had so many finished and pages freed twice. */
  #took(agent: number, events: number, finished: number, doubleFreed: number): void {
    const thread = this.agents[agent]!;
    thread.rehash();
    addDoubleFreed(this.#memory.hash, agent, this.#ports[agent]!, doubleFreed);
    this.#ended = thread.died;
    this.#noteAccesses(this.#ports[agent]!);
    this.#checks.afterStep({
      thread: agent,
      inHand: this.#inHand,
      finished: thread.finished.length === finished ? NONE : thread.finished.slice(finished),
      eventsFrom: events,
      accesses: this.#accesses,
    });
  }

  #noteAccesses({ touches }: ObservedPort): void {
    this.#accesses.clear();
    for (let i = 0; i < touches.count; i++) this.#accesses.note(KIND_OF[touches.kinds[i]!]!, touches.addresses[i]!);
  }
}

/** Pages that were freed twice, from the one with index `from` on; each is a pair of its own. */
function addDoubleFreed(into: StateSink, agent: number, { doubleFreed }: ObservedPort, from: number): void {
  for (let i = from; i < doubleFreed.length; i++) {
    into.add(DOUBLE_FREED_KEYS - doubleFreed[i]!, agent * FREES_MAX + i);
  }
}

function save({ lanes }: StateHash, words: Int32Array, at: number): void {
  for (let lane = 0; lane < 4; lane++) words[at + lane] = lanes[lane]!;
}

function load({ lanes }: StateHash, words: Int32Array, at: number): void {
  for (let lane = 0; lane < 4; lane++) lanes[lane] = words[at + lane]!;
}

import { assert } from '../../events/index.js';
import { AccessKind, type Accesses } from '../explore/accesses.js';
import { isStuck, mayStep, type Program, type StateSink, type StepRow } from '../explore/program.js';
import type { StateHash } from '../explore/state_hash.js';
import type { AlgorithmText, Invariant } from './algorithm.js';
import { runningAgents, type RunningAgent } from './algorithm_agent.js';
import { firstState, layOut, type AlgorithmLayout } from './algorithm_layout.js';
import { AlgorithmState } from './algorithm_state.js';
import { AlgorithmView } from './algorithm_view.js';
import { DONE } from './machine.js';
import { RowPort } from './row_port.js';

/** Bits and places of the checks that every algorithm has; its invariants follow. */
const ASSERTION = 0;
const DEADLOCK = 1;
const FIRST_INVARIANT = 2;

/** An algorithm (`algorithm`) at some point of a path. Its state is one array of words. */
export class AlgorithmProgram implements Program {
  readonly agents: readonly RunningAgent[];
  readonly checks: readonly string[];
  readonly #text: AlgorithmText;
  readonly #layout: AlgorithmLayout;
  readonly #state: AlgorithmState;
  readonly #words: Int32Array;
  readonly #port: RowPort;
  readonly #view: AlgorithmView;
  readonly #invariants: readonly Invariant[];
  readonly #holdsAlways: boolean;

  /** Use `algorithm`, which looks at the text first. */
  constructor(text: AlgorithmText, checks: readonly string[]) {
    const { memory, agents, invariants = [] } = text;
    this.#text = text;
    this.checks = checks;
    this.#invariants = invariants;
    this.#holdsAlways = invariants.some(({ when }) => when === 'always');
    this.#layout = layOut(memory, agents);
    this.#state = new AlgorithmState(firstState(this.#layout, memory, agents));
    this.#words = this.#state.words;
    this.agents = runningAgents(agents, this.#state, this.#layout);
    const locks = Uint8Array.from(this.#words, (_, address) => Number(memory.isLock(address)));
    const names = agents.map(({ name }) => name);
    this.#port = new RowPort(this.#state, this.#layout, locks, names);
    this.#view = new AlgorithmView(this.#words, new Map(agents.map((agent, i) => [agent, this.agents[i]!])));
    this.#judge();
    this.#state.settle();
  }

  get ended(): boolean {
    return this.#words[this.#layout.failure] !== 0;
  }

  step(agent: number): void {
    assert(mayStep(this, agent), 'an agent steps that may not');
    const running = this.agents[agent]!;
    this.#state.begin();
    this.#port.begin(agent, running.takes);
    const next = running.machine.step(running.registers, this.#port);
    // Where a path has failed, everybody stays where he is.
    if (this.ended) return;
    this.#port.end();
    assert(next === DONE || running.machine.rows[next] !== undefined, 'a row leads to a row that is none');
    this.#state.set(running.base, next);
    if (this.#holdsAlways) this.#judge();
  }

  tell(agent: number): readonly StepRow[] {
    const { machine, at } = this.agents[agent]!;
    this.step(agent);
    const [label, does] = machine.rows.find((row) => row[0] === at)!;
    return [{ where: machine.name, label, does, effect: this.#effect(does) }];
  }

  undo(): void {
    assert(this.#state.depth > 0, 'there is no step to take back');
    this.#state.undo();
  }

  hash(into: StateHash): void {
    this.#state.hash(into);
  }

  state(into: StateSink): void {
    this.#state.state(into);
  }

  accesses(into: Accesses): void {
    if (this.#port.location !== 0) into.note(this.#port.kind, this.#port.location);
  }

  outcome(): string {
    const { outcome } = this.#text;
    if (this.ended) return `failed: ${this.explain(ASSERTION)}`;
    return outcome !== undefined && this.#allEnded ? outcome(this.#view) : this.#ends();
  }

  broken(): number {
    const failed = this.ended ? 1 << ASSERTION : 0;
    const stuck = isStuck(this) ? 1 << DEADLOCK : 0;
    return failed | stuck | this.#words[this.#layout.broken]! | (this.#allEnded ? this.#brokenNow('end') : 0);
  }

  explain(check: number): string {
    if (check === ASSERTION)
      return this.#port.failures[this.#words[this.#layout.failure]! - 1] ?? 'no assertion was hit';
    if (check === DEADLOCK) return this.#whoWaits();
    return this.#invariants[check - FIRST_INVARIANT]!.wrong;
  }

  get #allEnded(): boolean {
    return !this.ended && this.agents.every(({ at }) => at === undefined);
  }

  /** Looks whether the invariants of every state hold in this one. What is broken stays so. */
  #judge(): void {
    const { broken } = this.#layout;
    this.#state.set(broken, this.#words[broken]! | this.#brokenNow('always'));
  }

  #brokenNow(when: Invariant['when']): number {
    let bits = 0;
    for (let i = 0; i < this.#invariants.length; i++) {
      const invariant = this.#invariants[i]!;
      if (invariant.when === when && !invariant.holds(this.#view)) bits |= 1 << (FIRST_INVARIANT + i);
    }
    return bits;
  }

  /** All shared words, and the results of those who have any: `slot=3 ready=1,0 | A seen=1`. */
  #ends(): string {
    const words = this.#text.memory.arrays.map(
      ({ name, address, count }) => `${name}=${this.#words.subarray(address, address + count).join()}`,
    );
    const results = this.agents.flatMap(({ name, machine, registers }) =>
      machine.results.map((local) => `${name} ${local}=${registers[local]!}`),
    );
    return [words.join(' '), ...results].filter((part) => part !== '').join(' | ');
  }

  /** What the last row did, and where, if its text does not say that. */
  #effect(does: string): string {
    const { location, kind, old, now } = this.#port;
    if (location === 0) return '';
    const name = this.#nameOf(location);
    if (kind === AccessKind.acquire || kind === AccessKind.release) {
      return `${name} ${kind === AccessKind.acquire ? 'taken' : 'given back'}`;
    }
    const value = kind === AccessKind.read ? String(now) : `${old} -> ${now}`;
    return does.includes(name) ? value : `${name}: ${value}`;
  }

  #whoWaits(): string {
    const waiting = this.agents.filter(({ at }) => at !== undefined);
    return waiting.map(({ name, at, takes }) => `${name} waits for ${this.#nameOf(takes)} (${at!})`).join(', ');
  }

  /** A declared word has its name; one that was allocated is called by whose it is: `A+2`. */
  #nameOf(address: number): string {
    const { pages, pagesPerAgent } = this.#layout;
    const name = this.#text.memory.nameOf(address);
    if (name !== undefined) return name;
    const owner = Math.floor((address - pages) / pagesPerAgent);
    return `${this.agents[owner]!.name}+${(address - pages) % pagesPerAgent}`;
  }
}

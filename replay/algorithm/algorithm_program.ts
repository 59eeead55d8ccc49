import { assert } from '../../events/index.js';
import { AccessKind, type Accesses } from '../explore/accesses.js';
import type { Program, StateSink, StepRow } from '../explore/program.js';
import type { StateHash } from '../explore/state_hash.js';
import type { AlgorithmText, Invariant } from './algorithm.js';
import { runningAgents, type RunningAgent } from './algorithm_agent.js';
import { layOut, NOBODYS, type AlgorithmLayout } from './algorithm_layout.js';
import { AlgorithmPort } from './algorithm_port.js';
import { AlgorithmState } from './algorithm_state.js';
import { AlgorithmView } from './algorithm_view.js';

/** Bits and places of the checks that every algorithm has; its invariants follow. */
const ASSERTION = 0;
const DEADLOCK = 1;
const FIRST_INVARIANT = 2;
/** Location of what the invariants of every state come to; addresses are not negative. */
const JUDGED = -1;

/** An algorithm (`algorithm`) at some point of a path. Its state is one array of words. */
export class AlgorithmProgram implements Program {
  readonly agents: readonly RunningAgent[];
  readonly checks: readonly string[];
  readonly #text: AlgorithmText;
  readonly #layout: AlgorithmLayout;
  readonly #state: AlgorithmState;
  readonly #words: Int32Array;
  readonly #port: AlgorithmPort;
  readonly #view: AlgorithmView;
  readonly #invariants: readonly Invariant[];
  /** Those of every state and those of the end, each with its bit. */
  readonly #always: readonly Held[];
  readonly #atEnd: readonly Held[];
  /** By address: 1 where an invariant of every state says that it reads. */
  readonly #judged: Uint8Array;
  /** Whether one does not say what it reads: it may look at agents too, and every step matters to it. */
  readonly #judgesAll: boolean;

  /** Use `algorithm`, which looks at the text first. */
  constructor(text: AlgorithmText, checks: readonly string[]) {
    const { memory, agents, invariants = [] } = text;
    this.#text = text;
    this.checks = checks;
    this.#invariants = invariants;
    this.#layout = layOut(memory, agents);
    const { length } = this.#layout.words;
    this.#always = heldWhen('always', invariants, length);
    this.#atEnd = heldWhen('end', invariants, length);
    this.#judged = readByAny(this.#always, length);
    this.#judgesAll = this.#always.some(({ reads }) => reads === undefined);
    this.#state = new AlgorithmState(this.#layout.words);
    this.#words = this.#state.words;
    this.agents = runningAgents(agents, this.#state, this.#layout);
    const names = agents.map(({ name }) => name);
    this.#port = new AlgorithmPort(this.#state, this.#layout, names);
    this.#view = new AlgorithmView(this.#words, new Map(agents.map((agent, i) => [agent, this.agents[i]!])));
    this.#judge();
    this.#state.settle();
  }

  get ended(): boolean {
    return this.#port.failed;
  }

  step(agent: number): void {
    const running = this.agents[agent]!;
    const { gate } = running;
    assert(this.#words[gate] === 0 && !this.ended, 'an agent steps that may not');
    this.#state.begin();
    this.#port.begin(agent, gate);
    const next = running.machine.step(running.registers, this.#port);
    // Where a path has failed, everybody stays where he is.
    if (this.#port.failed) return;
    this.#port.end();
    running.goTo(next);
    if (this.#isJudged(this.#port.kind, this.#port.location)) this.#judge();
  }

  tell(agent: number): readonly StepRow[] {
    const { machine, at } = this.agents[agent]!;
    const before = this.#words.slice();
    this.step(agent);
    const [label, does] = machine.rows.find((row) => row[0] === at)!;
    return [{ where: machine.name, label, does, effect: this.#effect(does, before) }];
  }

  undo(): void {
    this.rewind(1);
  }

  rewind(steps: number): void {
    assert(steps >= 0 && this.#state.depth >= steps, 'there are not so many steps to take back');
    this.#state.rewind(steps);
  }

  hash(into: StateHash): void {
    this.#state.hash(into);
  }

  state(into: StateSink): void {
    this.#state.state(into);
  }

  accesses(into: Accesses): void {
    const { kind, location } = this.#port;
    if (location !== NOBODYS) into.note(kind, location);
    if (this.#isJudged(kind, location)) into.note(AccessKind.write, JUDGED);
  }

  /**
   * Whether an invariant of every state may come out otherwise after such an access: then it is looked at again, and the place
   * of the step among others matters. What says that it reads these words holds for as long as nobody stores there.
   */
  #isJudged(kind: number, location: number): boolean {
    return this.#judgesAll || (kind !== AccessKind.read && this.#judged[location] === 1);
  }

  outcome(): string {
    const { outcome } = this.#text;
    if (this.ended) return `failed: ${this.explain(ASSERTION)}`;
    return outcome !== undefined && this.#allEnded ? outcome(this.#view) : this.#ends();
  }

  broken(): number {
    const bits = this.#words[this.#layout.broken]!;
    if (this.ended) return bits | (1 << ASSERTION);
    const { agents } = this;
    let waiting = 0;
    for (let agent = 0; agent < agents.length; agent++) {
      if (agents[agent]!.enabled) return bits;
      if (!agents[agent]!.hasEnded) waiting++;
    }
    return bits | (waiting === 0 ? brokenBy(this.#atEnd, this.#view) : 1 << DEADLOCK);
  }

  explain(check: number): string {
    if (check === ASSERTION)
      return this.#port.failures[this.#words[this.#layout.failure]! - 1] ?? 'no assertion was hit';
    if (check === DEADLOCK) return this.#whoWaits();
    return this.#invariants[check - FIRST_INVARIANT]!.wrong;
  }

  get #allEnded(): boolean {
    return !this.ended && this.agents.every(({ hasEnded }) => hasEnded);
  }

  /** Looks whether the invariants of every state hold in this one. What is broken stays so. */
  #judge(): void {
    const bits = brokenBy(this.#always, this.#view);
    if (bits !== 0) this.#state.set(this.#layout.broken, this.#words[this.#layout.broken]! | bits);
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
  #effect(does: string, before: Int32Array): string {
    const { location, kind } = this.#port;
    if (location === NOBODYS) return '';
    const name = this.#nameOf(location);
    if (kind === AccessKind.acquire) return `${name} taken`;
    if (kind === AccessKind.release) return `${name} given back`;
    const now = this.#words[location]!;
    const value = kind === AccessKind.read ? String(now) : `${before[location]!} -> ${now}`;
    return does.includes(name) ? value : `${name}: ${value}`;
  }

  #whoWaits(): string {
    const waiting = this.agents.filter(({ at }) => at !== undefined);
    return waiting.map(({ name, at, gate }) => `${name} waits for ${this.#nameOf(gate)} (${at!})`).join(', ');
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

interface Held {
  readonly invariant: Invariant;
  readonly bit: number;
  /** By address: 1 where it may load; undefined: everywhere. */
  readonly reads: Uint8Array | undefined;
}

function heldWhen(when: Invariant['when'], invariants: readonly Invariant[], words: number): Held[] {
  const held = invariants.map((invariant, i) => ({
    invariant,
    bit: 1 << (FIRST_INVARIANT + i),
    reads: invariant.reads === undefined ? undefined : marked(invariant.reads, words),
  }));
  return held.filter(({ invariant }) => invariant.when === when);
}

function readByAny(held: readonly Held[], words: number): Uint8Array {
  const all = new Uint8Array(words);
  for (const { reads } of held) {
    reads?.forEach((mark, address) => (all[address]! |= mark));
  }
  return all;
}

function marked(addresses: readonly number[], words: number): Uint8Array {
  const marks = new Uint8Array(words);
  for (const address of addresses) marks[address] = 1;
  return marks;
}

/** Bits of those that do not hold. */
function brokenBy(held: readonly Held[], view: AlgorithmView): number {
  let bits = 0;
  for (let i = 0; i < held.length; i++) {
    const { invariant, bit, reads } = held[i]!;
    view.allowed = reads;
    if (!invariant.holds(view)) bits |= bit;
  }
  view.allowed = undefined;
  return bits;
}

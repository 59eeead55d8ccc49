import {
  AccessKind,
  isStuck,
  isOver,
  type Accesses,
  type Agent,
  type Program,
  type StateHash,
  type StateSink,
  type StepRow,
} from '../../../replay/index.js';

/**
 * Textbook programs: agents over shared words, an instruction a step. Every agent has a register of its own.
 *
 *     load w     reg = word[w]          add n      reg = reg + n (no step: joined to the step before)
 *     store w    word[w] = reg          put w v    word[w] = v
 *     lock w     waits for word[w] = 0  unlock w
 *     fail v     the path ends where reg = v
 *     skip v n   jumps over the next n where reg = v (no step: joined to the step before)
 */
export type Instruction =
  | readonly ['load' | 'store' | 'lock' | 'unlock', number]
  | readonly ['put' | 'skip', number, number]
  | readonly ['add', number]
  | readonly ['fail', number];

/** What is no step of its own, but where a thread begins with it. */
const JOINED = new Set<string | undefined>(['add', 'skip']);

interface Image {
  readonly words: number[];
  readonly pcs: number[];
  readonly registers: number[];
  readonly ended: boolean;
}

export class TinyProgram implements Program {
  readonly agents: readonly Agent[];
  ended = false;
  #words: number[];
  #pcs: number[];
  #registers: number[];
  readonly #threads: readonly (readonly Instruction[])[];
  readonly #steps: Image[] = [];
  /** An exploration must not step who may not, nor take back more than it stepped. */
  stepsTaken = 0;
  readonly checks = ['assertion', 'deadlock'];
  #last: Instruction[] = [];

  constructor(words: number, threads: readonly (readonly Instruction[])[]) {
    this.#words = new Array<number>(words).fill(0);
    this.#pcs = threads.map(() => 0);
    this.#registers = threads.map(() => 0);
    this.#threads = threads;
    this.agents = threads.map((_, t) => this.#agent(t));
  }

  get depth(): number {
    return this.#steps.length;
  }

  step(agent: number): void {
    if (!this.agents[agent]!.enabled || this.ended) throw new Error(`agent ${agent} may not step`);
    this.stepsTaken++;
    const { ended } = this;
    this.#steps.push({ words: [...this.#words], pcs: [...this.#pcs], registers: [...this.#registers], ended });
    this.#last = [];
    this.#run(agent);
    while (JOINED.has(this.#threads[agent]![this.#pcs[agent]!]?.[0])) this.#run(agent);
  }

  undo(): void {
    const image = this.#steps.pop();
    if (image === undefined) throw new Error('nothing to take back');
    this.#words = image.words;
    this.#pcs = image.pcs;
    this.#registers = image.registers;
    this.ended = image.ended;
  }

  tell(agent: number): readonly StepRow[] {
    this.step(agent);
    return this.#last.map((row) => ({ where: `T${agent}`, label: row[0], does: row.join(' '), effect: '' }));
  }

  hash(into: StateHash): void {
    this.state(into);
  }

  state(into: StateSink): void {
    [...this.#words, ...this.#pcs, ...this.#registers, Number(this.ended)].forEach((value, key) => {
      into.add(key, value);
    });
  }

  /** A word is the location of its number. */
  accesses(into: Accesses): void {
    for (const [kind, word] of this.#last) {
      if (kind === 'load') into.note(AccessKind.read, word);
      else if (kind === 'store' || kind === 'put') into.note(AccessKind.write, word);
      else if (kind === 'lock') into.note(AccessKind.acquire, word);
      else if (kind === 'unlock') into.note(AccessKind.release, word);
    }
  }

  broken(): number {
    return (this.ended ? 1 : 0) | (isOver(this) && isStuck(this) ? 2 : 0);
  }

  explain(check: number): string {
    return check === 0 ? 'an agent failed' : 'nobody can go on';
  }

  outcome(): string {
    return `${this.#words.join(' ')} | ${this.#registers.join(' ')}`;
  }

  #agent(t: number): Agent {
    const next = (): Instruction | undefined => this.#threads[t]![this.#pcs[t]!];
    const isFree = (): boolean => {
      const [kind, word] = next()!;
      return kind !== 'lock' || this.#words[word] === 0;
    };
    return {
      name: `T${t}`,
      get at() {
        return next()?.join(' ');
      },
      get enabled() {
        return next() !== undefined && isFree();
      },
      get waitsFor() {
        const instruction = next();
        return instruction?.[0] === 'lock' ? instruction[1] : undefined;
      },
    };
  }

  #run(t: number): void {
    const instruction = this.#threads[t]![this.#pcs[t]!++]!;
    const words = this.#words;
    this.#last.push(instruction);
    switch (instruction[0]) {
      case 'load':
        this.#registers[t] = words[instruction[1]]!;
        break;
      case 'store':
        words[instruction[1]] = this.#registers[t]!;
        break;
      case 'put':
        words[instruction[1]] = instruction[2];
        break;
      case 'add':
        this.#registers[t] = this.#registers[t]! + instruction[1];
        break;
      case 'skip':
        if (this.#registers[t] === instruction[1]) this.#pcs[t] = this.#pcs[t]! + instruction[2];
        break;
      case 'lock':
        words[instruction[1]] = t + 1;
        break;
      case 'unlock':
        words[instruction[1]] = 0;
        break;
      case 'fail':
        this.ended = this.#registers[t] === instruction[1];
    }
  }
}

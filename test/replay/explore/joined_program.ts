import {
  AccessKind,
  isStuck,
  type Accesses,
  type Agent,
  type Program,
  type StateHash,
  type StateSink,
  type StepRow,
} from '../../../replay/index.js';

/**
 * Acts of a step, over shared words and the agent's register `r`:
 *
 *     load w   r = word[w]     loadAt   r = word[r]      put w v      word[w] = v     store w   word[w] = r
 *     cas w v  word[w] = v where it is 0                  unlock w     word[w] = 0     add n     r = (r + n) % words
 *     stop v   the step ends here where r = v            fail v       so does the path
 *     jump v   the next step is left out where r = v     lock w       first of a step: waits for word[w] = 0
 */
export type Act =
  | readonly ['load' | 'store' | 'lock' | 'unlock' | 'add' | 'stop' | 'fail' | 'jump', number]
  | readonly ['put' | 'cas', number, number]
  | readonly ['loadAt'];

/** A program whose steps make several accesses each; which ones depends on what they read. */
export class JoinedProgram implements Program {
  readonly agents: readonly Agent[];
  readonly checks = ['assertion', 'deadlock'];
  readonly #threads: readonly (readonly (readonly Act[])[])[];
  readonly #words: number;
  /** Words, then a pc and a register an agent, then whether it has ended. */
  #state: number[];
  readonly #steps: number[][] = [];
  #last: [kind: number, word: number][] = [];

  constructor(words: number, threads: readonly (readonly (readonly Act[])[])[]) {
    this.#threads = threads;
    this.#words = words;
    this.#state = new Array<number>(words + 2 * threads.length + 1).fill(0);
    this.agents = threads.map((_, t) => this.#agent(t));
  }

  get depth(): number {
    return this.#steps.length;
  }

  get ended(): boolean {
    return this.#state.at(-1) === 1;
  }

  step(agent: number): void {
    if (this.ended || !this.agents[agent]!.enabled) throw new Error(`agent ${agent} may not step`);
    this.#steps.push([...this.#state]);
    this.#last = [];
    const pc = this.#words + 2 * agent;
    const acts = this.#threads[agent]![this.#state[pc]!]!;
    this.#state[pc]!++;
    for (const act of acts) if (!this.#does(act, pc)) return;
  }

  undo(): void {
    const state = this.#steps.pop();
    if (state === undefined) throw new Error('nothing to take back');
    this.#state = state;
  }

  tell(agent: number): readonly StepRow[] {
    this.step(agent);
    return [];
  }

  hash(into: StateHash): void {
    this.state(into);
  }

  state(into: StateSink): void {
    this.#state.forEach((value, key) => {
      into.add(key, value);
    });
  }

  accesses(into: Accesses): void {
    for (const [kind, word] of this.#last) into.note(kind, word);
  }

  outcome(): string {
    return this.#state.join(' ');
  }

  broken(): number {
    return (this.ended ? 1 : 0) | (isStuck(this) ? 2 : 0);
  }

  explain(): string {
    return '';
  }

  #agent(t: number): Agent {
    const next = (): readonly Act[] | undefined => this.#threads[t]![this.#state[this.#words + 2 * t]!];
    const lock = (): number | undefined => {
      const act = next()?.[0];
      return act?.[0] === 'lock' ? act[1] : undefined;
    };
    const isFree = (word: number | undefined): boolean => word === undefined || this.#state[word] === 0;
    return {
      name: `T${t}`,
      get at() {
        return next()?.join(' ');
      },
      get enabled() {
        return next() !== undefined && isFree(lock());
      },
      get waitsFor() {
        return lock();
      },
    };
  }

  /** False where the step ends. `pc` is where the agent's is; its register is the word after. */
  #does(act: Act, pc: number): boolean {
    const state = this.#state;
    const r = state[pc + 1]!;
    const { read, write, acquire, release } = AccessKind;
    switch (act[0]) {
      case 'load':
        state[pc + 1] = this.#load(act[1]);
        return true;
      case 'loadAt':
        state[pc + 1] = this.#load(r);
        return true;
      case 'store':
        return this.#put(write, act[1], r);
      case 'put':
        return this.#put(write, act[1], act[2]);
      case 'cas':
        if (state[act[1]] === 0) return this.#put(write, act[1], act[2]);
        this.#last.push([read, act[1]]);
        return true;
      case 'lock':
        return this.#put(acquire, act[1], 1);
      case 'unlock':
        return this.#put(release, act[1], 0);
      case 'add':
        state[pc + 1] = (r + act[1]) % this.#words;
        return true;
      case 'stop':
        return r !== act[1];
      case 'jump':
        if (r === act[1]) state[pc]!++;
        return true;
      case 'fail':
        state[state.length - 1] = Number(r === act[1]);
        return r !== act[1];
    }
  }

  #load(word: number): number {
    this.#last.push([AccessKind.read, word]);
    return this.#state[word]!;
  }

  #put(kind: number, word: number, value: number): boolean {
    this.#last.push([kind, word]);
    this.#state[word] = value;
    return true;
  }
}

import { POOL_HEAD, type Domain, type Memory } from '../../../src/index.js';

/** The pages that the run of a scenario allocates, each CPU from a pool of its own, in the order of their numbers. */
export class RunPages {
  readonly #memory: Memory;
  /** By CPU: the first page of its pool that the run takes. */
  readonly #starts: readonly number[];

  /** Before the run. */
  constructor({ memory, cpus }: Domain) {
    this.#memory = memory;
    this.#starts = cpus.map((_, cpu) => memory.words[POOL_HEAD + memory.poolOf(cpu)]!);
  }

  /** Pages that a CPU has allocated so far. */
  allocated(cpu: number): number[] {
    const start = this.#starts[cpu]!;
    return Array.from({ length: this.#end(cpu) - start }, (_, i) => start + i);
  }

  /** The CPU that has allocated the page in the run; -1 where none has. */
  ownerOf(page: number): number {
    for (let cpu = 0; cpu < this.#starts.length; cpu++) {
      if (page >= this.#starts[cpu]! && page < this.#end(cpu)) return cpu;
    }
    return -1;
  }

  /** Tells of each page that was allocated so far. */
  forEach(tell: (page: number, cpu: number) => void): void {
    for (let cpu = 0; cpu < this.#starts.length; cpu++) {
      const end = this.#end(cpu);
      for (let page = this.#starts[cpu]!; page < end; page++) tell(page, cpu);
    }
  }

  #end(cpu: number): number {
    return this.#memory.words[POOL_HEAD + this.#memory.poolOf(cpu)]!;
  }
}

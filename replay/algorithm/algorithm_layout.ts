import type { AlgorithmAgent } from './machine.js';
import type { SharedMemory } from './shared_memory.js';

/** Where everything is in the one array of words that is an algorithm's state. */
export interface AlgorithmLayout {
  /** Pages begin here, where shared memory ends: as many words for each agent. */
  readonly pages: number;
  readonly pagesPerAgent: number;
  /** The word that says whether and how the path has failed: 1 + the number of the text. */
  readonly failure: number;
  /** The word with the bits of the invariants that the path has broken. */
  readonly broken: number;
  /** By agent: the word that holds the address of its next page. */
  readonly nextPage: readonly number[];
  /** By agent: the word that holds its row; its locals follow. */
  readonly base: readonly number[];
  /** Words in all. */
  readonly end: number;
}

/** Lays shared memory, pages and agents out, one after the other. */
export function layOut(memory: SharedMemory, agents: readonly AlgorithmAgent<string>[]): AlgorithmLayout {
  const pages = memory.end;
  const pagesPerAgent = Math.max(1, ...agents.map(({ machine }) => machine.allocates));
  const failure = pages + agents.length * pagesPerAgent;
  const nextPage: number[] = [];
  const base: number[] = [];
  let end = failure + 2;
  for (const { machine } of agents) {
    nextPage.push(end);
    base.push(end + 1);
    end += 2 + machine.locals.length;
  }
  return { pages, pagesPerAgent, failure, broken: failure + 1, nextPage, base, end };
}

/** The state before the first step. */
export function firstState(
  layout: AlgorithmLayout,
  memory: SharedMemory,
  agents: readonly AlgorithmAgent<string>[],
): Int32Array {
  const words = new Int32Array(layout.end);
  words.set(memory.image());
  agents.forEach(({ machine, locals }, i) => {
    words[layout.nextPage[i]!] = layout.pages + i * layout.pagesPerAgent;
    machine.locals.forEach((name, local) => {
      words[layout.base[i]! + 1 + local] = locals?.[name] ?? 0;
    });
  });
  return words;
}

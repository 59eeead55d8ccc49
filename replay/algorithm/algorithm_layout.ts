import type { AlgorithmAgent } from './machine.js';
import type { SharedMemory } from './shared_memory.js';

/** The address that is nobody's. Its word is 0 for ever. */
export const NOBODYS = 0;
/** What stands at `never`. */
const NEVER = 2 ** 31 - 1;

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
  /** A word that is never 0, and greater than any address. */
  readonly never: number;
  /** By address: the word whose value it must be below to be loaded from or stored to. */
  readonly bounds: Int32Array;
  /** The state before the first step. */
  readonly words: Int32Array;
}

/** Lays shared memory, pages and agents out, one after the other. */
export function layOut(memory: SharedMemory, agents: readonly AlgorithmAgent<string>[]): AlgorithmLayout {
  const pages = memory.end;
  const pagesPerAgent = Math.max(0, ...agents.map(({ machine }) => machine.allocates));
  const failure = pages + agents.length * pagesPerAgent;
  const never = failure + 2;
  const nextPage: number[] = [];
  const base: number[] = [];
  let end = never + 1;
  for (const { machine } of agents) {
    nextPage.push(end);
    base.push(end + 1);
    end += 2 + machine.locals.length;
  }
  const bounds = new Int32Array(failure);
  const words = new Int32Array(end);
  words.set(memory.image());
  words[never] = NEVER;
  for (let address = 1; address < pages; address++) bounds[address] = memory.isLock(address) ? NOBODYS : never;
  agents.forEach(({ machine, locals }, i) => {
    const own = pages + i * pagesPerAgent;
    bounds.fill(nextPage[i]!, own, own + pagesPerAgent);
    words[nextPage[i]!] = own;
    machine.locals.forEach((name, local) => {
      words[base[i]! + 1 + local] = locals?.[name] ?? 0;
    });
  });
  return { pages, pagesPerAgent, failure, broken: failure + 1, nextPage, base, never, bounds, words };
}

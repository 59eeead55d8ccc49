import { usageError } from '../../events/index.js';
import type { RunningAgent } from './algorithm_agent.js';
import type { AlgorithmAgent } from './machine.js';

/** The state, for those who only look: invariants and outcomes. */
export class AlgorithmView {
  /** By address: 1 where it may be loaded from now; undefined: everywhere. */
  allowed: Uint8Array | undefined;
  readonly #words: Int32Array;
  readonly #agents: ReadonlyMap<AlgorithmAgent<string>, RunningAgent>;

  constructor(words: Int32Array, agents: ReadonlyMap<AlgorithmAgent<string>, RunningAgent>) {
    this.#words = words;
    this.#agents = agents;
  }

  /** The word at an address of shared memory or of a page. @throws {P2mError} code `usage`: an invariant's `reads` lacks it */
  load(address: number): number {
    if (this.allowed !== undefined && this.allowed[address] !== 1) throw undeclared(`address ${address}`);
    return this.#words[address]!;
  }

  /** A local of an agent. @throws {P2mError} code `usage`: the agent is none of the algorithm's */
  local<L extends string>(agent: AlgorithmAgent<L>, name: NoInfer<L>): number {
    return this.#running(agent).registers[name]!;
  }

  /** Label of the row that an agent is at; undefined where it has ended. @throws {P2mError} code `usage`: like `local` */
  at<L extends string>(agent: AlgorithmAgent<L>): string | undefined {
    return this.#running(agent).at;
  }

  #running<L extends string>(agent: AlgorithmAgent<L>): RunningAgent {
    if (this.allowed !== undefined) throw undeclared(`agent ${agent.name}`);
    const running = this.#agents.get(agent);
    if (running === undefined) {
      throw usageError('a view of an agent', { got: agent.name, expected: 'an agent of this algorithm' });
    }
    return running;
  }
}

function undeclared(got: string): Error {
  return usageError('an invariant looks at what its `reads` does not name', {
    got,
    expected: 'all of it, or no `reads`',
  });
}

import { usageError } from '../../events/index.js';
import { AlgorithmProgram } from './algorithm_program.js';
import type { AlgorithmView } from './algorithm_view.js';
import { twice, type AlgorithmAgent } from './machine.js';
import type { SharedMemory } from './shared_memory.js';

/** Something that must hold. */
export interface Invariant {
  /** What the check is called. */
  readonly name: string;
  /** What is wrong where it does not hold, in words. */
  readonly wrong: string;
  /** `always`: in every state. `end`: where every agent has come to its end. */
  readonly when: 'always' | 'end';
  /**
   * Addresses of all words that it loads, of one that holds `always` and looks at no agent: the order of two stores to these is
   * then never indifferent. Without it that is so of any two steps, and partial order reduction (`exploreTraces`) saves nothing.
   */
  readonly reads?: readonly number[];
  holds(view: AlgorithmView): boolean;
}

/** What `algorithm` is given. */
export interface AlgorithmText {
  readonly memory: SharedMemory;
  readonly agents: readonly AlgorithmAgent<string>[];
  readonly invariants?: readonly Invariant[];
  /**
   * What a path led to, where all shared words and the results of the machines would tell too much apart: which page a
   * pointer names, say, and not what is in it. Used where every agent has come to its end.
   */
  readonly outcome?: (view: AlgorithmView) => string;
}

/** Checks that are there without being asked for, by their place. */
export const OWN_CHECKS = ['assertion', 'deadlock'] as const;

const AGENTS_MAX = 31;
const CHECKS_MAX = 31;

/**
 * A concurrent algorithm as a program to explore: agents that run machines over shared memory, a row a step, and what
 * they are held to: assertions (`m.fail`, an address that is nobody's, a lock given back by another), deadlock, and the
 * invariants.
 *
 * @throws {P2mError} code `usage`: no agent or more than 31, more than 29 invariants, a name twice, a row that takes a lock
 *   which is none of the memory's
 */
export function algorithm(text: AlgorithmText): AlgorithmProgram {
  const { memory, agents, invariants = [] } = text;
  const complain = (what: string, got: string | number, expected: string): never => {
    throw usageError(`algorithm: ${what}`, { got: String(got), expected });
  };
  if (agents.length === 0 || agents.length > AGENTS_MAX) complain('agents', agents.length, `1 to ${AGENTS_MAX}`);
  const name = twice(agents.map((agent) => agent.name));
  if (name !== undefined) complain('a name stands for two agents', name, 'a name for each');
  const checks = [...OWN_CHECKS, ...invariants.map((invariant) => invariant.name)];
  if (checks.length > CHECKS_MAX)
    complain('invariants', invariants.length, `at most ${CHECKS_MAX - OWN_CHECKS.length}`);
  const check = twice(checks);
  if (check !== undefined) complain('a name stands for two checks', check, 'a name for each');
  for (const { machine } of agents) {
    const row = machine.rows.find(([, , lock]) => lock !== undefined && !memory.isLock(lock));
    if (row !== undefined)
      complain(`row ${row[0]} of ${machine.name} takes what is no lock`, row[2]!, 'what `lock` gave');
  }
  return new AlgorithmProgram(text, checks);
}

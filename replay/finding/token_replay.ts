import { usageError } from '../../events/index.js';
import { mayStep, type Agent, type Program } from '../explore/program.js';
import type { Schedule } from '../explore/schedule.js';
import { StateHash } from '../explore/state_hash.js';
import { printRuns } from './run_length.js';
import { hex, tokenText, type Token } from './token.js';
import { walk } from './walk.js';

/**
 * The token of a path of `program` from where it stands: what one needs to run it again, and to see that it is the same.
 * Letters, digits and dashes only, so a shell takes it as it is.
 *
 * @param scenario hash of what the program is made of, 8 hex digits
 * @throws {P2mError} code `usage`: more than 26 agents
 */
export function printToken(program: Program, scenario: string, schedule: Schedule): string {
  const end = walk(
    program,
    schedule,
    (agent) => {
      program.step(agent);
    },
    () => endHash(program),
  );
  return tokenText({ scenario, schedule, end });
}

/**
 * Follows a token from where the program stands, and gives the bits of the checks that are broken where it ends. The steps
 * are taken back.
 *
 * @param scenario hash of what the program is made of
 * @throws {P2mError} code `usage`: the token is of another scenario, or does not apply: at which step, and why
 */
export function replayToken(program: Program, token: Token, scenario: string): number {
  if (token.scenario !== scenario) {
    throw usageError('the token is of another scenario', { got: token.scenario, expected: scenario });
  }
  const { schedule } = token;
  return walk(
    program,
    schedule,
    (agent, i) => {
      if (!mayStep(program, agent)) throw unfit(program, schedule, i);
      program.step(agent);
    },
    () => {
      const end = endHash(program);
      if (end !== token.end) throw otherEnd(program, token, end);
      return program.broken();
    },
  );
}

function unfit(program: Program, schedule: Schedule, i: number): Error {
  const agent = schedule[i]!;
  const what = `the token does not apply at step ${i + 1} of ${schedule.length}`;
  const able = ableOnes(program);
  if (able.length > 0) {
    return usageError(what, { got: whyNot(program.agents[agent], agent), expected: able.join(' or ') });
  }
  return usageError(what, {
    got: `${letterOf(agent)} again`,
    expected: `the end: ${program.ended ? 'an assertion has ended the path' : 'nobody can go on'}`,
  });
}

function whyNot(agent: Agent | undefined, index: number): string {
  if (agent === undefined) return `${letterOf(index)}, whom there is not`;
  if (agent.at === undefined) return `${agent.name}, who has ended`;
  return `${agent.name}, who waits for a lock (${agent.at})`;
}

function otherEnd(program: Program, { schedule, end }: Token, got: string): Error {
  const able = ableOnes(program);
  const left = able.length === 0 ? '' : `; steps are left: ${able.join(' or ')}`;
  return usageError(`the token does not apply at its end, after step ${schedule.length}`, {
    got: `state ${got}`,
    expected: `state ${end}`,
    hint: `all steps could be taken, but the model, or what its scenario means, is not what it was${left}`,
  });
}

function ableOnes(program: Program): string[] {
  return program.agents.filter((_, agent) => mayStep(program, agent)).map(({ name, at }) => `${name} (${at})`);
}

function letterOf(agent: number): string {
  return printRuns([agent]);
}

/** Two of the four lanes: a token shall stay short, and only one state is compared. */
function endHash(program: Program): string {
  const hash = new StateHash();
  program.hash(hash);
  const [first, second] = hash.lanes;
  return hex(first! >>> 0, 8) + hex(second! >>> 0, 8);
}

import type { Agent, Program, StepRow } from '../explore/program.js';
import type { Schedule } from '../explore/schedule.js';
import { inlineThread } from '../scenario/inline_scenario.js';
import { ScenarioThread } from '../scenario/scenario_thread.js';
import { walk } from './walk.js';

/** What a step of a path did. */
export interface ToldStep {
  readonly agent: number;
  /** The operation that it is the first step of: `set 0x402 m:77`. */
  readonly begins?: string;
  readonly rows: readonly StepRow[];
  /** Its last row hit an assertion, and ended the path. */
  readonly died: boolean;
  /** What ended with it: `= true`; one that took no step of its own is named too: `get 0x402 = m:77`. */
  readonly ends: readonly string[];
}

/** A path, told. */
export interface ToldPath {
  /** By agent: the operations that ended before the first step, for they take none. */
  readonly before: readonly (readonly string[])[];
  readonly steps: readonly ToldStep[];
}

/** Goes along `schedule` and tells each step; the program is left where it is. */
export function tellPath(program: Program, schedule: Schedule): ToldPath {
  const logs = program.agents.map(operationLog);
  const before = logs.map((log) => log.ends());
  const steps: ToldStep[] = [];
  return walk(
    program,
    schedule,
    (agent) => {
      const log = logs[agent]!;
      const begins = log.begins();
      const rows = program.tell(agent);
      steps.push({ agent, ...(begins === undefined ? {} : { begins }), rows, died: program.ended, ends: log.ends() });
    },
    () => ({ before, steps }),
  );
}

/** Follows the operations of an agent from step to step; `begins` is asked before one, `ends` after it. */
interface OperationLog {
  begins(): string | undefined;
  ends(): string[];
}

const NO_OPERATIONS: OperationLog = { begins: () => undefined, ends: () => [] };

/** The threads of a scenario have operations; of an agent of another kind nothing is known but its steps. */
function operationLog(agent: Agent): OperationLog {
  if (!(agent instanceof ScenarioThread)) return NO_OPERATIONS;
  let begun = 0;
  let ended = 0;
  return {
    begins() {
      const { operation } = agent;
      if (operation === undefined || begun > agent.finished.length) return undefined;
      begun = agent.finished.length + 1;
      return inlineThread([operation]);
    },
    ends() {
      const { results, finished } = agent;
      const lines = finished.slice(ended).map(({ operation }, i) => {
        const result = `= ${String(results[ended + i])}`;
        return ended + i < begun ? result : `${inlineThread([operation])} ${result}`;
      });
      ended = finished.length;
      return lines;
    },
  };
}

import type { StoredLog } from '../../../events/index.js';
import { explore, exportLog, ScenarioProgram, type ExportFormat } from '../../../replay/index.js';
import { scenarioOf, type ScenarioJson } from '../../../replay/scenario/read_scenario.js';
import { scheduleLog } from '../audit/race_logs.js';

/** A set of an identity pfn beside a look-up of it: 3.19 shows the look-up what nobody stored, 7.0 does not. */
export const IDENTITY_RACE: Omit<ScenarioJson, 'kernel'> = {
  layout: [
    ['nr', '2048'],
    ['identity', '1024', '1536'],
  ],
  threads: [[['set', 0x402, 'm:77']], [['lookup', 0x402]]],
  check: ['not-linearizable'],
};

/** The log of the first schedule that breaks the scenario, or else of both threads in turn; and what exploring it said. */
export function exploredLog(json: ScenarioJson): { readonly log: StoredLog; readonly verdict: string } {
  const scenario = scenarioOf(json);
  const exploration = explore(new ScenarioProgram(scenario));
  const [violation] = exploration.violations;
  const schedule = violation?.schedule ?? inTurn(new ScenarioProgram(scenario));
  return { log: scheduleLog(scenario, schedule), verdict: exploration.verdict };
}

/** To the end, the threads one step each. */
function inTurn(program: ScenarioProgram): number[] {
  const schedule: number[] = [];
  for (let next = 0, idle = 0; idle < program.agents.length; next = (next + 1) % program.agents.length) {
    idle++;
    if (program.ended || program.agents[next]?.enabled !== true) continue;
    program.step(next);
    schedule.push(next);
    idle = 0;
  }
  return schedule;
}

/** The bytes of an export, and how many rows it says it has. */
export function exported(log: StoredLog, format: ExportFormat): { readonly bytes: Buffer; readonly rows: number } {
  const pieces: Uint8Array[] = [];
  const rows = exportLog(log, format, (piece) => pieces.push(piece.slice()));
  return { bytes: Buffer.concat(pieces), rows };
}

import { execFileSync } from 'node:child_process';
import { performance } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import {
  burst,
  countOutcomes,
  exploreTraces,
  fewestPreemptions,
  inlineScenario,
  ScenarioProgram,
} from '../replay/index.js';
import { spread } from './statistics.js';

/**
 * How long it takes, in a process that has run nothing before, to find the race of 2014 (known-defects.md, B3) on the model of
 * 3.19-rc1, to prove its smallest counter-example, and to prove that 3.19 does not have it. Boot is set-up, and apart.
 */
const PROCESSES = 9;

const SEARCHES = {
  'first found (random and PCT runs)': () => burst(race('3.19-rc1'), { runs: 1000 }).hits === 1,
  'smallest counter-example proven (0-1 BFS)': () => fewestPreemptions(race('3.19-rc1')).verdict === 'found',
  'absence in 3.19 proven, counted (stateful)': () => countOutcomes(race('3.19')).complete,
  'absence in 3.19 proven (optimal DPOR)': () => exploreTraces(race('3.19')).complete,
} as const;

let booted = 0;

function race(kernel: string): ScenarioProgram {
  const program = new ScenarioProgram(
    inlineScenario({
      kernel,
      layout: ['nr 786432; hole 262144 786432'],
      threads: ['set 0x40002 m:77', 'set 0x40003 m:78'],
      check: ['shared-pte-page-written'],
    }),
  );
  booted = performance.now();
  return program;
}

function once(name: string): void {
  const search = SEARCHES[name as keyof typeof SEARCHES];
  if (!search()) throw new Error(`${name}: not what it should come to`);
  console.log(performance.now() - booted);
}

const [name] = process.argv.slice(2);
if (name !== undefined) once(name);
else {
  console.log(`${PROCESSES} processes each: median (min..max)`);
  for (const search of Object.keys(SEARCHES)) {
    const file = fileURLToPath(import.meta.url);
    const times = Array.from({ length: PROCESSES }, () =>
      Number(execFileSync(process.execPath, [file, search], { encoding: 'utf8' })),
    );
    const { median, min, max } = spread(times);
    console.log(`${search.padEnd(44)} ${median.toFixed(0)} ms (${min.toFixed(0)}..${max.toFixed(0)})`);
  }
}

/**
 * `npm run bench -- [--only NAME] [--heats N] [--rounds N] [--json]`: every race with all its contestants, for who develops this.
 * `p2m bench` is for users, and measures the table of part 5 by the same races.
 *
 * Contestants of a race are processes of their own and take turns, so ratios of one round compare like with like also
 * on a machine that others use; a claim is judged by the median of its rounds.
 */
import { parseArgs } from 'node:util';
import { compileLookUp } from './c_program.js';
import { load, machineFacts, thisMachine } from './machine.js';
import { runRace } from './race.js';
import { CLAIMS, RACES } from './races.js';
import { rowsOf, showSpread, table, verdictOf, type Outcome, type Row, type Verdict } from './report.js';
import { residentBytesAdded } from './resident.js';
import { spread } from './statistics.js';
import { TABLE } from './table.js';
import { TemporaryFolder } from '../node/temporary_folder.js';

const RESIDENT = 'resident';
const RESIDENT_ROUNDS_MAX = 5;
const RESIDENT_MB_MAX = 16;

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    heats: { type: 'string', default: '3' },
    rounds: { type: 'string', default: '11' },
    json: { type: 'boolean', default: false },
  },
});
const heats = Number(values.heats);
const rounds = Number(values.rounds);
const only = values.only ?? '';
const races = RACES.filter((race) => race.name.includes(only) && race.heatsMax === undefined);
const withResident = RESIDENT.includes(only);
if (!(Number.isInteger(heats * rounds) && heats >= 1 && rounds >= 1) || (races.length === 0 && !withResident)) {
  process.stderr.write(
    `want --heats and --rounds of 1 or more, and --only a part of: ${[...RACES.map((r) => r.name), RESIDENT].join(', ')}\n`,
  );
  process.exit(2);
}

const before = load();
const folder = new TemporaryFolder('bench');
const machine = thisMachine(await compileLookUp(folder.path));
const outcomes: Outcome[] = [];
try {
  for (const race of races) {
    process.stderr.write(`${race.name} ...\n`);
    const options = { machine, heats, rounds, folder: folder.path, tiny: false, signal: folder.signal };
    outcomes.push({ race, lanes: await runRace(race, options) });
  }
} finally {
  folder.remove();
}
const rows = outcomes.flatMap(rowsOf);
const raced = new Set(races.map(({ name }) => name));
const claims = [...TABLE.map(({ claim }) => claim), ...CLAIMS];
const verdicts = claims.filter((claim) => raced.has(claim.race)).map((claim) => verdictOf(claim, outcomes));
if (withResident) measureResident(rows, verdicts);

const facts = { ...machineFacts(machine), heats, rounds, load: { before, after: load() } };
if (values.json) process.stdout.write(`${JSON.stringify({ machine: facts, rows, verdicts }, undefined, 2)}\n`);
else print();

function measureResident(to: Row[], judged: Verdict[]): void {
  for (const memory of ['paged', 'flat'] as const) {
    process.stderr.write(`${RESIDENT} ${memory} ...\n`);
    const bytes = residentBytesAdded(memory, Math.min(rounds, RESIDENT_ROUNDS_MAX));
    const value = spread(bytes.map((each) => each / 2 ** 20));
    to.push({ race: RESIDENT, name: `128 Mi pfns over 1 Mi, ${memory}`, unit: 'MB', value });
    judged.push({
      text: `128 Mi pfns add at most ${RESIDENT_MB_MAX} MB until touched (${memory})`,
      target: `<= ${RESIDENT_MB_MAX} MB`,
      measured: value,
      verdict: value.median <= RESIDENT_MB_MAX ? 'met' : 'falls short',
    });
  }
}

function print(): void {
  const { date, cpu, node, compiler } = facts;
  process.stdout.write(
    `${date}, ${cpu}, node ${node}, ${compiler}\n` +
      `load ${facts.load.before.toFixed(1)} before, ${facts.load.after.toFixed(1)} after; ${heats} heats of ${rounds} rounds: median (min..max)\n\n`,
  );
  const body = rows.map((row) => [
    row.race,
    row.name,
    row.value === undefined ? `skipped: ${row.skipped}` : `${showSpread(row.value)} ${row.unit}`,
    row.ratio === undefined ? '' : showSpread(row.ratio),
  ]);
  process.stdout.write(`${table(['race', 'contestant', 'measured', 'time over the first'], body)}\n\n`);
  const judged = verdicts.map(({ text, target, measured, verdict }) => [
    text,
    target,
    measured === undefined ? '' : showSpread(measured),
    verdict,
  ]);
  if (judged.length > 0) process.stdout.write(`${table(['claim', 'target', 'measured', 'verdict'], judged)}\n`);
}

import { compileLookUp } from './c_program.js';
import { contestantsOf, type Race } from './contest.js';
import { load, machineFacts, thisMachine, type MachineFacts } from './machine.js';
import { runRace } from './race.js';
import { promised, rowsOf, verdictOf, type Outcome, type Row, type Verdict } from './report.js';
import { tableRaces, type TableRow } from './table.js';

/** How the table is measured. */
export interface TableOptions {
  readonly rows: readonly TableRow[];
  /** Rounds of each race, over three processes of each contestant. */
  readonly rounds: number;
  readonly long: boolean;
  readonly tiny: boolean;
  readonly folder: string;
  readonly signal: AbortSignal;
  /** Told what is going on. */
  readonly onProgress: (text: string) => void;
}

/** A row of the table, measured or not. */
export interface JudgedRow extends Verdict {
  readonly name: string;
}

/** What came of the table. */
export interface TableReport {
  readonly machine: MachineFacts & {
    readonly rounds: number;
    /** The numbers mean nothing. */
    readonly tiny: boolean;
    readonly load: { readonly before: number; readonly after: number };
  };
  readonly rows: readonly JudgedRow[];
  /** What the contestants took. */
  readonly contestants: readonly Row[];
}

const HEATS = 3;
const NOT_ASKED = 'takes minutes, and --long was not given';

/**
 * Measures the rows on this machine: each race once, with the contestants that a row looks at. A race that breaks down is said in
 * its rows, and the others go on.
 * @throws the signal's reason where it is aborted
 */
export async function runTable(options: TableOptions): Promise<TableReport> {
  const before = load();
  const { rows, rounds, tiny, folder, signal } = options;
  const heats = Math.min(HEATS, rounds);
  const asked = rows.filter(({ isLong }) => options.long || isLong !== true);
  const races = tableRaces().flatMap((race) => neededOf(race, asked));
  const wantsC = races.some(({ contestants }) => contestants.some((each) => 'c' in each));
  const machine = thisMachine(wantsC ? await compileLookUp(folder) : { why: 'no row needs it' });
  const outcomes: Outcome[] = [];
  const broken = new Map<string, string>();
  for (const [i, race] of races.entries()) {
    const place = `${i + 1}/${races.length} ${race.name}`;
    options.onProgress(place);
    const onRound = (done: number, of: number): void => options.onProgress(`${place}, round ${done} of ${of}`);
    try {
      const perHeat = Math.ceil(rounds / heats);
      const lanes = await runRace(race, { machine, heats, rounds: perHeat, folder, tiny, signal, onRound });
      outcomes.push({ race, lanes });
    } catch (error) {
      signal.throwIfAborted();
      broken.set(race.name, error instanceof Error ? error.message : String(error));
    }
  }
  const judge = (row: TableRow): JudgedRow => {
    const { name, claim } = row;
    const why = asked.includes(row) ? broken.get(claim.race) : NOT_ASKED;
    if (why === undefined) return { name, ...verdictOf(claim, outcomes) };
    const { target, unit } = promised(claim);
    return { name, text: claim.text, target, unit, verdict: 'not run', why };
  };
  return {
    machine: { ...machineFacts(machine), rounds, tiny, load: { before, after: load() } },
    rows: rows.map(judge),
    contestants: outcomes.flatMap(rowsOf),
  };
}

/** The race with those contestants alone that a row looks at; nothing where none does. */
function neededOf(race: Race, rows: readonly TableRow[]): Race[] {
  const names = rows.flatMap(({ claim }) => (claim.race === race.name ? contestantsOf(claim) : []));
  const contestants = race.contestants.filter(({ name }) => names.includes(name));
  return contestants.length === 0 ? [] : [{ ...race, contestants }];
}

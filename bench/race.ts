import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createInterface, type Interface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Contestant, Race, Setting } from './contest.js';
import { whyNot, type Machine } from './machine.js';

/** What a contestant did in a round. */
export interface Run {
  readonly processorNs: number;
  readonly clockNs: number;
  readonly count: number;
  /** Most that its process had in memory so far; 0: it does not say. */
  readonly residentBytes: number;
}

/** What a contestant did, round by round. */
export interface Lane {
  readonly name: string;
  /** Empty where the contestant could not run. */
  readonly runs: readonly Run[];
  readonly skipped?: string;
}

/** How a race is run. */
export interface RaceOptions extends Setting {
  readonly machine: Machine;
  /** Processes of each contestant, one after the other: a just-in-time compiler does not decide the same each time. */
  readonly heats: number;
  /** Of each heat. */
  readonly rounds: number;
  /** Ends it: its processes are killed. */
  readonly signal?: AbortSignal;
  readonly onRound?: (done: number, of: number) => void;
}

/** Processor time, clock, units, checksum; not all say what they had in memory. */
const FIELDS_MIN = 4;

interface OpenLane extends Lane {
  readonly runs: Run[];
  skipped?: string;
}

/**
 * Runs a race in heats. In a heat every contestant is started anew and warmed up; then in each round each runs once, the
 * first of a round being the second of the round before. Nobody else of the race runs meanwhile: the others wait for their
 * line. Who cannot run is left out, and its lane says why.
 * @throws Error where contestants that must see the same do not, or one breaks down; the signal's reason where it is aborted
 */
export async function runRace(race: Race, options: RaceOptions): Promise<Lane[]> {
  const lanes = race.contestants.map((contestant): OpenLane => {
    const skipped = whyNot(contestant, options.machine);
    return { name: contestant.name, runs: [], ...(skipped === undefined ? {} : { skipped }) };
  });
  const checks = new Set<string>();
  const heats = Math.min(options.heats, race.heatsMax ?? Infinity);
  const rounds = Math.min(options.rounds, race.roundsMax ?? Infinity);
  for (let heat = 0; heat < heats; heat++) {
    const runners = await startAll(race, lanes, options);
    try {
      for (let round = 0; round < rounds; round++) {
        for (let turn = 0; turn < runners.length; turn++) {
          const check = await runners[(turn + round) % runners.length]!.go();
          if (check !== undefined) checks.add(check);
        }
        options.onRound?.(heat * rounds + round + 1, heats * rounds);
      }
    } finally {
      for (const runner of runners) runner.stop();
    }
  }
  if (race.sameWork && checks.size > 1) {
    throw new Error(`the contestants of ${race.name} do not see the same: checksums ${[...checks].join(', ')}`);
  }
  return lanes;
}

/** One after the other: what one sets up does not wait for another. */
async function startAll(race: Race, lanes: readonly OpenLane[], options: RaceOptions): Promise<Runner[]> {
  const runners: Runner[] = [];
  try {
    for (const [i, lane] of lanes.entries()) {
      if (lane.skipped !== undefined) continue;
      const runner = new Runner(race, race.contestants[i]!, lane, options);
      runners.push(runner);
      if (!(await runner.isReady())) runners.pop()!.stop();
    }
  } catch (error) {
    for (const runner of runners) runner.stop();
    throw error;
  }
  return runners;
}

/** A contestant's process, seen from the race. */
class Runner {
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;
  readonly #reader: Interface;
  readonly #lane: OpenLane;
  readonly #signal: AbortSignal | undefined;
  #failure: Error | undefined;

  constructor(race: Race, contestant: Contestant, lane: OpenLane, { machine, signal, folder, tiny }: RaceOptions) {
    const [command, args] =
      'c' in contestant
        ? [(machine.cProgram as { path: string }).path, contestant.c({ folder, tiny })]
        : [process.execPath, [racer(), race.name, contestant.name, folder, ...(tiny ? ['tiny'] : [])]];
    // Of a group of its own: Ctrl-C is ours to answer, and a process that is killed by us has not failed.
    this.#child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'], detached: true });
    this.#child.on('error', (error) => (this.#failure ??= error));
    // It may be gone when it is told to go on: the line that does not come says so.
    this.#child.stdin!.on('error', () => undefined);
    this.#reader = createInterface({ input: this.#child.stdout! });
    this.#lines = this.#reader[Symbol.asyncIterator]();
    this.#lane = lane;
    this.#signal = signal;
    signal?.addEventListener('abort', this.#kill);
    if (signal?.aborted === true) this.#kill();
  }

  /** Waits until it has warmed up; false where it cannot run. */
  async isReady(): Promise<boolean> {
    const line = await this.#line();
    if (line !== 'ready') throw new Error(`${this.#lane.name} said ${JSON.stringify(line)}, want "ready"`);
    return this.#lane.skipped === undefined;
  }

  /** One run; gives the checksum, undefined where it could not. */
  async go(): Promise<string | undefined> {
    if (this.#lane.skipped !== undefined) return undefined;
    this.#child.stdin!.write('go\n');
    const line = await this.#line();
    if (this.#isSkipped()) return undefined;
    const numbers = line.split(' ').map(Number);
    const [processorNs, clockNs, count, check, residentBytes = 0] = numbers;
    if (numbers.length < FIELDS_MIN || !numbers.every(Number.isFinite)) {
      throw new Error(`${this.#lane.name} said ${JSON.stringify(line)}, want numbers`);
    }
    this.#lane.runs.push({ processorNs: processorNs!, clockNs: clockNs!, count: count!, residentBytes });
    return String(check);
  }

  stop(): void {
    this.#signal?.removeEventListener('abort', this.#kill);
    this.#reader.close();
    this.#kill();
  }

  #isSkipped(): boolean {
    return this.#lane.skipped !== undefined;
  }

  readonly #kill = (): void => {
    this.#child.kill('SIGKILL');
  };

  /** Its next line. Where it cannot run, its lane says so, and what it said before counts no more. */
  async #line(): Promise<string> {
    const next = await this.#lines.next();
    this.#signal?.throwIfAborted();
    if (next.done === true) throw this.#failure ?? new Error(`${this.#lane.name} ended before it answered`);
    if (!next.value.startsWith('cannot ')) return next.value;
    this.#lane.skipped = next.value.slice('cannot '.length);
    this.#lane.runs.length = 0;
    return 'ready';
  }
}

/** The program of a contestant: beside us in dist/cli and dist/bench; the sources have it built. */
function racer(): string {
  const places = ['./racer.js', '../dist/cli/racer.js'].map((place) => fileURLToPath(new URL(place, import.meta.url)));
  return places.find((place) => existsSync(place)) ?? places[0]!;
}

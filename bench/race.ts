import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface, type Interface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Contestant, Race } from './contest.js';

/** What a contestant did in the rounds: nanoseconds a unit, round by round. */
export interface Lane {
  readonly name: string;
  /** Empty where the contestant could not run. */
  readonly nsPerUnit: readonly number[];
  readonly skipped?: string;
}

const CHILD = fileURLToPath(new URL('./child.js', import.meta.url));

/**
 * Runs a race in heats. In a heat every contestant is started anew, for a just-in-time compiler does not decide the same
 * each time, and warmed up; then in each round each runs once, the first of a round being the second of the round before.
 * Nobody else of the race runs meanwhile: the others wait for their line.
 * @throws Error where contestants that must see the same do not
 */
export async function runRace(
  race: Race,
  heats: number,
  rounds: number,
  cProgram: string | undefined,
): Promise<Lane[]> {
  const lanes = race.contestants.map((contestant) => ({
    name: contestant.name,
    nsPerUnit: [] as number[],
    ...('c' in contestant && cProgram === undefined ? { skipped: 'no gcc' } : {}),
  }));
  const checks = new Set<string>();
  for (let heat = 0; heat < heats; heat++) {
    const runners: Runner[] = [];
    try {
      for (const [i, lane] of lanes.entries()) {
        if (lane.skipped !== undefined) continue;
        runners.push(await Runner.start(race, race.contestants[i]!, cProgram, lane.nsPerUnit));
      }
      for (let round = 0; round < rounds; round++) {
        for (let turn = 0; turn < runners.length; turn++) {
          checks.add(await runners[(turn + round) % runners.length]!.go());
        }
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

/** A contestant's process, seen from the race. */
class Runner {
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;
  readonly #reader: Interface;
  readonly #nsPerUnit: number[];
  readonly #name: string;

  private constructor(name: string, command: string, args: readonly string[], nsPerUnit: number[]) {
    this.#name = name;
    this.#child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#reader = createInterface({ input: this.#child.stdout! });
    this.#lines = this.#reader[Symbol.asyncIterator]();
    this.#nsPerUnit = nsPerUnit;
  }

  /** Starts the process and waits until it has warmed up. */
  static async start(race: Race, c: Contestant, cProgram: string | undefined, nsPerUnit: number[]): Promise<Runner> {
    const runner =
      'c' in c
        ? new Runner(c.name, cProgram!, c.c, nsPerUnit)
        : new Runner(c.name, process.execPath, [CHILD, race.name, c.name], nsPerUnit);
    const line = await runner.#line();
    if (line !== 'ready') throw new Error(`${c.name} said ${JSON.stringify(line)}, want "ready"`);
    return runner;
  }

  /** One run; gives the checksum. */
  async go(): Promise<string> {
    this.#child.stdin!.write('go\n');
    const line = await this.#line();
    const [ns, count, check] = line.split(' ');
    this.#nsPerUnit.push(Number(ns) / Number(count));
    return check!;
  }

  stop(): void {
    this.#reader.close();
    this.#child.kill();
  }

  async #line(): Promise<string> {
    const next = await this.#lines.next();
    if (next.done === true) throw new Error(`${this.#name} ended before it answered`);
    return next.value;
  }
}

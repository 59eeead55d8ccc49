import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { ExitCode } from '../events/index.js';
import { StressWorkers, type StressRound, type ThreadFate } from '../node/index.js';
import { checkLogRegisters, Random } from '../replay/index.js';
import { counted } from './counted.js';
import { note, print } from './output.js';
import { openStoredLog } from './stored_log.js';
import { playRound, type PlayedRound, type RoundPlan } from './stress_round.js';

/** What a run of rounds is told. */
export interface StressSessionOptions {
  readonly plan: RoundPlan;
  readonly seed: number;
  /** Where the logs of rounds lie while they are judged. */
  readonly folder: string;
  readonly seconds: number;
  readonly roundsMax: number;
  /** Threads killed in each round. */
  readonly kills: number;
  /** Where the log of the last round is kept. */
  readonly output: string | undefined;
  readonly json: boolean;
  /** The command that repeats the run. */
  readonly again: string;
}

const PROGRESS_MS = 200;

/** `p2m stress`: rounds until the time is over, or one breaks. */
export class StressSession {
  readonly #options: StressSessionOptions;
  readonly #random: Random;
  readonly #workers = new StressWorkers();
  #leftMs: number;

  constructor(options: StressSessionOptions) {
    this.#options = options;
    this.#random = new Random(options.seed);
    this.#leftMs = options.seconds * 1000;
  }

  /** Gives the exit code. */
  async run(): Promise<number> {
    try {
      return await this.#rounds();
    } finally {
      await this.#workers.end();
    }
  }

  async #rounds(): Promise<number> {
    const { roundsMax } = this.#options;
    for (let n = 1; n <= roundsMax && this.#leftMs > 0; n++) {
      const path = this.#options.output ?? join(this.#options.folder, `round-${n}.p2mlog`);
      rmSync(path, { recursive: true, force: true });
      const played = await this.#play(n, path);
      this.#leftMs -= played.end.ms;
      const log = await openStoredLog(path);
      const started = performance.now();
      const report = checkLogRegisters(log);
      print(
        `round ${n}: ${counted(played.end.operations, 'operation')}, ${counted(played.end.events, 'event')}, ${Math.round(played.end.ms)} ms, ${report.verdict} in ${Math.round(performance.now() - started)} ms`,
      );
      print(
        played.end.threads.map((fate: ThreadFate) => `${fate.kind}${'what' in fate ? ` ${fate.what}` : ''}`).join(', '),
      );
      if (report.verdict !== 'ok') {
        print(JSON.stringify(report.violations.slice(0, 3)));
        return ExitCode.violated;
      }
    }
    return ExitCode.ok;
  }

  async #play(n: number, path: string): Promise<PlayedRound> {
    const { plan, kills } = this.#options;
    let timer: NodeJS.Timeout | undefined;
    const turn = {
      seed: this.#random.below(2 ** 31),
      ms: this.#leftMs,
      kills: Array.from({ length: kills }, (_, i) => ({
        thread: (this.#random.below(plan.threads) + i) % plan.threads,
        ms: this.#random.below(Math.min(this.#leftMs, 1000)),
      })),
      workers: this.#workers,
      path,
    };
    try {
      return await playRound(plan, turn, (round) => (timer = this.#watch(n, round)));
    } finally {
      clearInterval(timer);
    }
  }

  #watch(n: number, round: StressRound): NodeJS.Timeout | undefined {
    if (!process.stderr.isTTY) return undefined;
    return setInterval(() => note(`round ${n}: ${round.operations} operations, ${round.events} events`), PROGRESS_MS);
  }
}

import { copyFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { StressWorkers, type StressRound } from '../node/index.js';
import {
  explainRound,
  judgeRound,
  mutantsByName,
  Random,
  type FindingExplanation,
  type JudgeRoundOptions,
  type Mutant,
  type RoundFinding,
} from '../replay/index.js';
import { openStoredLog } from './stored_log.js';
import { playRound, type PlayedRound, type RoundPlan } from './stress_round.js';
import { StressTally } from './stress_tally.js';

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
  /** Goes on where all that a round has broken is in the gallery. */
  readonly keepGoing: boolean;
  /** Where the log of the last round is kept. */
  readonly output: string | undefined;
  /** Aborted when the user wants the end. */
  readonly signal: AbortSignal;
}

const PROGRESS_MS = 200;
/** Kills come within so long of a round's start. */
const KILL_MS = 500;

/** Rounds until the time is over, or one breaks. */
export class StressSession {
  readonly tally: StressTally;
  readonly #options: StressSessionOptions;
  readonly #random: Random;
  readonly #workers = new StressWorkers();
  readonly #mutant: Mutant | undefined;
  #leftMs: number;

  constructor(options: StressSessionOptions) {
    const { mutant } = options.plan;
    this.#options = options;
    this.#random = new Random(options.seed);
    this.#mutant = mutant === undefined ? undefined : mutantsByName(mutant)[0];
    this.#leftMs = options.seconds * 1000;
    this.tally = new StressTally();
  }

  /** Plays the rounds. @throws {P2mError} a log cannot be written or read; what `signal` was aborted with */
  async run(): Promise<void> {
    const { roundsMax, signal } = this.#options;
    try {
      for (let n = 1; n <= roundsMax && this.#leftMs > 0 && !this.tally.isOver; n++) {
        signal.throwIfAborted();
        await this.#round(n);
      }
    } finally {
      await this.#workers.end();
    }
  }

  async #round(n: number): Promise<void> {
    const { output, folder, keepGoing } = this.#options;
    const path = output ?? join(folder, `round-${n}.p2mlog`);
    rmSync(path, { recursive: true, force: true });
    const played = await this.#play(n, path);
    this.#leftMs -= played.end.ms;
    this.#options.signal.throwIfAborted();
    const report = judgeRound(await openStoredLog(path), evidence(played));
    const explained = report.findings.length > 0 ? await this.#explain(n, path, report.findings) : [];
    showProgress('');
    this.tally.add(n, played, report, explained, keepGoing);
    if (output === undefined) rmSync(path, { recursive: true, force: true });
  }

  /** Looks into what a round broke first, and what none before it broke; keeps the log where something of it is new. */
  async #explain(n: number, path: string, findings: readonly RoundFinding[]): Promise<FindingExplanation[]> {
    const { output } = this.#options;
    const kept = output ?? this.#keep(n, path);
    const explained = explainRound(await openStoredLog(kept), findings, {
      mutant: this.#mutant,
      told: this.tally.findings,
      onFinding: ({ check }) => showProgress(`round ${n} has broken ${check}: looking for a scenario that shows it`),
    });
    if (output !== undefined || kept === path) return explained;
    if (explained.every((one) => this.tally.isTold(one))) rmSync(kept);
    else this.tally.notes.push(`round ${n}: its log is kept in ${kept}`);
    return explained;
  }

  /** Copies a round's log to where it stays. Gives its new place; the old one where nothing can be written: it goes with the run. */
  #keep(n: number, path: string): string {
    const kept = `p2m-stress-${this.#options.seed}-${n}.p2mlog`;
    try {
      copyFileSync(path, kept);
      return kept;
    } catch {
      return path;
    }
  }

  async #play(n: number, path: string): Promise<PlayedRound> {
    const { plan, signal } = this.#options;
    let timer: NodeJS.Timeout | undefined;
    let stop = (): void => undefined;
    const turn = {
      seed: this.#random.below(2 ** 31),
      ms: this.#leftMs,
      kills: this.#kills(),
      workers: this.#workers,
      path,
    };
    try {
      return await playRound(plan, turn, (round) => {
        stop = () => round.stop();
        signal.addEventListener('abort', stop, { once: true });
        timer = this.#watch(n, round);
      });
    } finally {
      clearInterval(timer);
      signal.removeEventListener('abort', stop);
      showProgress('');
    }
  }

  /** Threads that will be killed, each another, and when. */
  #kills(): { readonly thread: number; readonly ms: number }[] {
    const { plan, kills } = this.#options;
    const first = this.#random.below(plan.threads);
    return Array.from({ length: kills }, (_, i) => ({
      thread: (first + i) % plan.threads,
      ms: this.#random.below(Math.min(Math.ceil(this.#leftMs), KILL_MS)),
    }));
  }

  #watch(n: number, round: StressRound): NodeJS.Timeout {
    return setInterval(() => {
      const { rounds, operations, events } = this.tally;
      const before = rounds === 0 ? '' : `, ${operations + round.operations} in all`;
      showProgress(`round ${n}: ${round.operations} operations${before}, ${events + round.events} events`);
    }, PROGRESS_MS);
  }
}

/** What is known of a round beside its log. A log that could take no more ends in the middle of what threads did. */
function evidence({ end, memory }: PlayedRound): JudgeRoundOptions {
  const isCut = end.logFailure !== undefined;
  const killed = end.threads.flatMap(({ kind }, thread) => (isCut || kind === 'killed' ? [thread] : []));
  return isCut ? { killed } : { killed, memory };
}

/** On a terminal, in the place of what it said before. */
function showProgress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`);
}

import { BatchLog, EventBatch, P2mError, payloadColumn, usageError, type StoredLog } from '../events/index.js';
import {
  replayLog,
  replayRecording,
  type EventKeeper,
  type ReplayOptions,
  type ReplayReport,
} from '../replay/index.js';
import type { LogOptions } from './log_options.js';
import { note } from './output.js';
import { Progress } from './progress.js';
import { folderFiles, logInput } from './replay_input.js';

/** Events of a block of a log in memory. */
const BLOCK_EVENTS = 4096;
/** By id of the kind: the column of the payload. */
const PAYLOAD_COLUMNS = Int8Array.from({ length: 256 }, (_, id) => payloadColumn(id));

/**
 * Replays a recording's folder, and gives what happened as a log in memory: that of the step asked for, or the only one.
 * @throws {P2mError} it cannot be replayed to its end, or has several logs and nobody says which
 */
export function replayFolder(folder: string, options: LogOptions): Promise<StoredLog> {
  return replayed(folder, options, (replay, progress) =>
    replayRecording(folderFiles(folder, options, progress), replay),
  );
}

/**
 * The same of one log of a kernel, whose unzipped pieces are at hand.
 * @throws {P2mError} it cannot be replayed to its end
 */
export function replayPieces(path: string, pieces: AsyncIterable<Uint8Array>, options: LogOptions): Promise<StoredLog> {
  if (options.step !== undefined) {
    throw usageError('only a recording has steps', { got: `--step ${options.step} of ${path}`, expected: 'a folder' });
  }
  return replayed(path, options, (replay, progress) =>
    replayLog({ ...logInput(path, options, progress), pieces: progress.watch(pieces, path) }, replay),
  );
}

async function replayed(
  path: string,
  { kernel, step }: LogOptions,
  run: (options: ReplayOptions, progress: Progress) => Promise<ReplayReport>,
): Promise<StoredLog> {
  const progress = new Progress();
  const kept = new KeptLogs(path);
  const report = await run(
    { memory: 'flat', keeper: kept.keeper, ...(kernel === undefined ? {} : { kernel }) },
    progress,
  );
  progress.end();
  if (report.error !== undefined) {
    throw new P2mError(report.exitCode === 2 ? 'usage' : 'bad-input', report.error.message);
  }
  const log = kept.logOf(report, step);
  tell(path, report);
  return log;
}

function tell(path: string, report: ReplayReport): void {
  const { verdict, kernel, kernelAssumed, divergenceCount } = report;
  const assumed = kernelAssumed === true ? ' (assumed: --kernel says which it is)' : '';
  note(`${path}: replayed with kernel ${kernel}${assumed}; events are those of the model`);
  if (verdict === 'ok') return;
  const found = divergenceCount > 0 ? `, ${divergenceCount} divergences` : '';
  note(`${path}: the replay is ${verdict}${found}: p2m replay tells more`);
}

/** The logs of a replay, in memory: one for each domain that it begins. */
class KeptLogs {
  readonly #path: string;
  readonly #logs: { readonly origin: string; readonly log: () => StoredLog }[] = [];

  constructor(path: string) {
    this.#path = path;
  }

  readonly keeper: EventKeeper = (header, codec) => {
    const batches: EventBatch[] = [];
    const log = (): StoredLog => new BatchLog(this.#path, header, codec, batches);
    this.#logs.push({ origin: header.origin ?? '', log });
    return (batch) => {
      for (let i = 0; i < batch.length; i++) {
        let last = batches.at(-1);
        if (last?.length !== undefined && last.length >= BLOCK_EVENTS) last = undefined;
        if (last === undefined) batches.push((last = new EventBatch(BLOCK_EVENTS)));
        last.copyRow(batch, i, PAYLOAD_COLUMNS[batch.kind[i]!]!);
      }
    };
  };

  /** The log that step `step` is in; without one, the only log. */
  logOf({ steps }: ReplayReport, step: number | undefined): StoredLog {
    const numbers = this.#numbersOf(steps);
    if (step === undefined && this.#logs.length === 1) return this.#logs[0]!.log();
    const number = step === undefined ? undefined : numbers[step - 1];
    if (number !== undefined) return this.#logs[number]!.log();
    throw usageError(step === undefined ? 'a recording of several lists' : 'no such step', {
      got: step === undefined ? this.#path : `--step ${step}`,
      expected: steps.map(({ log }, i) => `--step ${i + 1} (${log})`).join(', '),
    });
  }

  /** By step: which log it is in. One whose list goes on from the step before is in the same. */
  #numbersOf(steps: ReplayReport['steps']): number[] {
    let number = -1;
    return steps.map(({ log }) => {
      if (this.#logs[number + 1]?.origin === log) number++;
      return number;
    });
  }
}

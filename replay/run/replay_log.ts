import { usageError, type EntryCodec } from '../../events/index.js';
import { formByKernel } from '../../src/index.js';
import { makeListDump, type ListDump, type NamedBytes } from '../recording/list_dump.js';
import { openLog, type Pieces } from '../trace/opened_log.js';
import { replayEvents } from './replay_events.js';
import type { ReplayReport, StepReport } from './report.js';
import { reporting, type ReplayOptions } from './running_replay.js';

/** A dump of the list from files of any names, unzipped. */
export interface DumpFiles {
  readonly words: NamedBytes;
  readonly kinds: NamedBytes | undefined;
  readonly info: NamedBytes | undefined;
}

/** A dump that is read when the replay begins. */
export interface DumpSource {
  /** What messages call it. */
  readonly name: string;
  /** @throws {P2mError} it cannot be read */
  readonly read: () => DumpFiles;
}

/** A log by itself, with what stands before and after it. */
export interface LogInput {
  /** What messages call it. */
  readonly log: string;
  readonly pieces: Pieces;
  readonly from: DumpSource | undefined;
  readonly to: DumpSource | undefined;
}

/** The kernel of a log, where nobody says which it was. */
const NEWEST = '7.0';

/**
 * Replays one log, of a kernel or of our events. Bad input does not throw: the report says what was read before it, with `error` and exit
 * code 3.
 */
export function replayLog(input: LogInput, options: ReplayOptions): Promise<ReplayReport> {
  const { log, pieces, from, to } = input;
  return reporting(options, async (replay) => {
    const opened = await openLog(pieces, log);
    if (opened.format === 'jsonl' || opened.format === 'p2mlog') {
      if (from !== undefined)
        throw usageError('an event log begins with its own list', {
          got: from.name,
          expected: 'no dump before it',
        });
      const step: StepReport = {
        log,
        from: null,
        to: to?.name ?? null,
        verdict: null,
        final: null,
        checkpoints: [],
      };
      replay.report.steps.push(step);
      const dump = to === undefined ? undefined : (codec: EntryCodec) => dumpOf(to, codec)!;
      await replayEvents(log, opened.format, opened.pieces, dump, options, replay.report, step);
      return;
    }
    const kernel = options.kernel ?? NEWEST;
    replay.report.kernelAssumed = options.kernel === undefined;
    replay.begin(kernel, formByKernel(kernel), undefined);
    await replay.step(from?.name ?? null, to?.name ?? null, log, (codec) =>
      Promise.resolve({
        log,
        opened,
        from: dumpOf(from, codec),
        to: dumpOf(to, codec),
        checkpoints: [],
        previous: undefined,
      }),
    );
  });
}

function dumpOf(source: DumpSource | undefined, codec: EntryCodec): ListDump | undefined {
  if (source === undefined) return undefined;
  const { words, kinds, info } = source.read();
  return makeListDump(source.name, words, kinds, info, codec);
}

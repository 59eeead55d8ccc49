import { inputError, P2mError, type EntryCodec } from '../../events/index.js';
import { formByKernel, type Form } from '../../src/index.js';
import { readFile, readListDump, type Files, type ListDump } from '../recording/list_dump.js';
import { parseRecording, type ReplayStep } from '../recording/recording.js';
import { openLog, type Pieces } from '../trace/opened_log.js';
import type { ReplayStepInput } from './replay_step.js';
import type { ReplayedDomain } from './replayed_domain.js';
import type { ReplayReport } from './report.js';
import { reporting, type ReplayOptions } from './running_replay.js';

/** The files of a recording. Small ones are read at once, logs piece by piece. */
export interface RecordingFiles {
  readonly read: Files;
  /** The pieces of a log; undefined where there is none of that name. */
  readonly open: (name: string) => Pieces | undefined;
}

/**
 * Replays a recording folder: each step from its dump through its log to its dump (recordings/README.md). Bad input does
 * not throw: the report says what was read before it, with `error` and exit code 3.
 */
export function replayRecording(files: RecordingFiles, options: ReplayOptions): Promise<ReplayReport> {
  return reporting(options, async (replay) => {
    const { bytes, found } = readFile(files.read, 'replay.json');
    const recording = parseRecording(bytes, found);
    const kernel = options.kernel ?? recording.kernel;
    replay.begin(kernel, options.kernel === undefined ? formInFile(kernel, found) : formByKernel(kernel), found);
    let previous: ReplayedDomain | undefined;
    // Steps chain: most dumps are the end of one and the beginning of the next.
    const dumps = new Map<string, ListDump>();
    for (const step of recording.steps) {
      const goesOn = step.from !== null && step.from === replay.report.steps.at(-1)?.to;
      const before = goesOn && replay.endedWell ? previous : undefined;
      previous = await replay.step(step.from, step.to, step.log, (codec) => inputOf(files, step, codec, dumps, before));
    }
  });
}

async function inputOf(
  files: RecordingFiles,
  step: ReplayStep,
  codec: EntryCodec,
  dumps: Map<string, ListDump>,
  previous: ReplayedDomain | undefined,
): Promise<ReplayStepInput> {
  const dumpOf = (name: string): ListDump => {
    const dump = dumps.get(name) ?? readListDump(files.read, name, codec);
    dumps.set(name, dump);
    return dump;
  };
  const from = step.from === null ? undefined : dumpOf(step.from);
  const to = step.to === null ? undefined : dumpOf(step.to);
  const checkpoints = (step.checkpoints ?? []).map((at) => ({ at, dump: dumpOf(at.dump) }));
  const pieces = files.open(step.log);
  if (pieces === undefined) {
    throw inputError('missing file', { file: step.log, expected: 'the log that replay.json names' });
  }
  return { log: step.log, opened: await openLog(pieces, step.log), from, to, checkpoints, previous };
}

/** The form of the kernel that a file names. */
function formInFile(kernel: string, file: string): Form {
  try {
    return formByKernel(kernel);
  } catch (error) {
    if (!(error instanceof P2mError)) throw error;
    const { got, expected } = error.complaint;
    throw inputError('unknown kernel', { file, ...(got && { got }), ...(expected && { expected }) });
  }
}

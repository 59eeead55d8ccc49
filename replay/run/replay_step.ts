import { inputError, type EntryCodec } from '../../events/index.js';
import type { ListDump } from '../recording/list_dump.js';
import type { Checkpoint } from '../recording/recording.js';
import type { OpenedLog } from '../trace/opened_log.js';
import { decoderFor, type TextFormat } from '../trace/sniff.js';
import { TraceEvent, TraceNames } from '../trace/trace_line.js';
import { TraceReader } from '../trace/trace_reader.js';
import { CallBehalfs } from './call_behalf.js';
import { compareWithDump } from './compare.js';
import { ReplayedDomain, type EventKeeper, type ReplayModel } from './replayed_domain.js';
import { Replayer, type CheckpointWatch } from './replayer.js';
import type { Counts, FinalReport, StepReport } from './report.js';

/** A dump taken on the way. */
export interface CheckpointInput {
  readonly at: Checkpoint;
  readonly dump: ListDump;
}

/** A log of a kernel between two dumps. */
export interface ReplayStepInput {
  readonly log: string;
  readonly opened: OpenedLog;
  readonly from: ListDump | undefined;
  readonly to: ListDump | undefined;
  readonly checkpoints: readonly CheckpointInput[];
  /** The domain to go on with, where its list is the one that the step starts from. */
  readonly previous: ReplayedDomain | undefined;
}

/** What all steps of a replay share. */
export interface ReplayContext {
  readonly model: ReplayModel;
  readonly codec: EntryCodec;
  /** What is counted is added here, also where a log cannot be read to its end. */
  readonly counts: Counts;
  readonly keeper: EventKeeper | undefined;
}

/**
 * Replays one log from a dump, or from nothing known, and compares what it leads to with a dump. Fills `report`.
 *
 * @returns the domain at the end of the log
 * @throws {P2mError} bad input
 */
export async function replayStep(
  input: ReplayStepInput,
  context: ReplayContext,
  report: StepReport,
): Promise<ReplayedDomain> {
  const { format, pieces } = input.opened;
  if (format === 'jsonl' || format === 'p2mlog') {
    throw inputError('an event log of ours is no step of a recording', {
      file: input.log,
      got: format,
      expected: 'a log of a kernel',
      hint: 'replay it by itself',
    });
  }
  return new StepRun(input, context, report, format).run(pieces);
}

class StepRun {
  readonly #input: ReplayStepInput;
  readonly #context: ReplayContext;
  readonly #report: StepReport;
  readonly #format: TextFormat;
  readonly #replayed: ReplayedDomain;
  readonly #names = new TraceNames();
  readonly #checkpoints: readonly CheckpointWatch[];
  readonly #replayer: Replayer;

  constructor(input: ReplayStepInput, context: ReplayContext, report: StepReport, format: TextFormat) {
    const { log, from, to, previous } = input;
    const { model, codec, keeper, counts } = context;
    this.#input = input;
    this.#context = context;
    this.#report = report;
    this.#format = format;
    this.#replayed = previous ?? new ReplayedDomain(model, codec, log, format, from, to, keeper);
    this.#checkpoints = input.checkpoints.map((checkpoint) => this.#watch(checkpoint));
    const { domain, knowledge } = this.#replayed;
    const known = Math.max(from?.entries.length ?? 0, to?.entries.length ?? 0);
    const behalfs = keeper === undefined ? undefined : new CallBehalfs(this.#names);
    const traceLog = { file: log, names: this.#names, behalfs };
    this.#replayer = new Replayer(domain, knowledge, traceLog, counts, this.#checkpoints, known);
    this.#replayer.lookAhead(input.opened.beginning);
  }

  async run(pieces: AsyncIterable<Uint8Array>): Promise<ReplayedDomain> {
    const { log, to, checkpoints } = this.#input;
    const replayer = this.#replayer;
    try {
      await this.#read(pieces);
    } finally {
      this.#replayed.domain.flush();
      replayer.tally();
    }
    // Where lines are missing, the two that a checkpoint stands between may be among them.
    const unreached = this.#checkpoints.findIndex(({ reached }) => !reached);
    if (unreached >= 0 && !replayer.isLossy) {
      throw inputError('the log never reaches a checkpoint', {
        file: 'replay.json',
        got: JSON.stringify(checkpoints[unreached]!.at),
        expected: `the two events in ${log}, in that order, or a call of that number`,
      });
    }
    if (to !== undefined) this.#report.final = this.#compare(to);
    this.#report.verdict = replayer.verdict;
    return this.#replayed;
  }

  /** Reads the log; what stands before a damage is replayed before it is told. */
  async #read(pieces: AsyncIterable<Uint8Array>): Promise<void> {
    const { log } = this.#input;
    const decoder = decoderFor(this.#format, this.#names);
    const reader = new TraceReader(decoder, this.#replayer, log);
    for await (const piece of pieces) reader.push(piece);
    reader.end();
    if (reader.unterminated) {
      throw inputError('the last line has no newline: the log is cut', {
        file: log,
        line: reader.lines,
        expected: 'a newline',
      });
    }
    if (reader.events === 0 && decoder.summary === undefined) {
      throw inputError('no events', {
        file: log,
        got: `${reader.bytes} bytes`,
        expected: `events in ${decoder.format}`,
      });
    }
    const { entriesInBuffer, entriesWritten } = decoder.summary ?? { entriesInBuffer: 0, entriesWritten: 0 };
    this.#replayer.end(entriesWritten - entriesInBuffer, Math.max(0, entriesInBuffer - reader.events));
  }

  #watch({ at, dump }: CheckpointInput): CheckpointWatch {
    const compare = (): void => {
      this.#report.checkpoints.push(this.#compare(dump));
    };
    const never = { after: -1, before: -1, beforeCall: 0, reached: false, compare };
    if ('beforeCall' in at) return { ...never, beforeCall: at.beforeCall };
    return { ...never, after: eventOf(at.after.replace(/_ret$/, '')), before: eventOf(at.before) };
  }

  #compare(dump: ListDump): FinalReport {
    const { domain, knowledge, knowsLastPfn } = this.#replayed;
    const replayer = this.#replayer;
    const compareLastPfn = knowsLastPfn && replayer.knowsLastPfn && this.#context.model.form.listForTools;
    const compared = compareWithDump(domain.memory, knowledge, dump, compareLastPfn, (difference) => {
      const { what, pfn, expected, actual } = difference;
      const line = what === 'entry' ? replayer.writers.lineOf(pfn) : 0;
      replayer.divergeAt(line, `${what} of dump ${dump.name}`, pfn, expected, actual);
    });
    const { checked, unchecked } = this.#context.counts;
    checked.entries += compared.entries;
    checked.ptes += compared.leaves;
    unchecked.entries += compared.unknown;
    return {
      dump: dump.name,
      compared: compared.entries,
      differences: compared.differences,
      beyond: replayer.writers.beyond,
    };
  }
}

function eventOf(name: string): number {
  const event = (TraceEvent as Readonly<Record<string, number>>)[name];
  if (event === undefined) {
    throw inputError('a checkpoint names an unknown function', { file: 'replay.json', got: JSON.stringify(name) });
  }
  return event;
}

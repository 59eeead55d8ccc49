import { EntryCodec, ExitCode, inputError, P2mError, type EventBatch } from '../../events/index.js';
import { Domain, formByKernel, GEOMETRIES, type Form, type Geometry } from '../../src/index.js';
import { gunzipReadable } from '../recording/gunzip.js';
import { listStateOf, readFile, readListDump, type Files, type ListDump } from '../recording/list_dump.js';
import { parseRecording, type Checkpoint, type ReplayStep } from '../recording/recording.js';
import { FtraceDecoder } from '../trace/ftrace.js';
import { TraceEvent } from '../trace/trace_line.js';
import { TraceReader } from '../trace/trace_reader.js';
import { compareWithDump } from './compare.js';
import { Replayer, type CheckpointWatch } from './replayer.js';
import { noCounts, type Counts, type FinalReport, type ReplayReport, type StepReport, type Verdict } from './report.js';

/** What the user may choose. */
export interface ReplayOptions {
  /** Instead of the kernel that replay.json names. */
  readonly kernel?: string;
  readonly memory: 'paged' | 'flat';
}

/** The log is handed to the reader in pieces of this size. */
const CHUNK_BYTES = 1 << 16;
/** An event keeps its CPU in a byte. */
const CPUS = 256;

/**
 * Replays a recording folder: each step from its dump through its log to its dump (recordings/README.md). Bad input does
 * not throw: the report says what was read before it, with `error` and exit code 3.
 */
export function replayRecording(files: Files, options: ReplayOptions): ReplayReport {
  const geometry = GEOMETRIES.x86_64;
  const counts = noCounts();
  const steps: StepReport[] = [];
  let kernel = options.kernel ?? '';
  let form: Form | undefined;
  let error: P2mError | undefined;
  try {
    const { bytes, found } = readFile(files, 'replay.json');
    const recording = parseRecording(bytes, found);
    kernel = options.kernel ?? recording.kernel;
    form = formByKernel(kernel);
    for (const step of recording.steps) {
      const report: StepReport = {
        log: step.log,
        from: step.from,
        to: step.to,
        verdict: 'ok',
        final: null,
        checkpoints: [],
      };
      steps.push(report);
      new StepRun(files, step, form, geometry, options.memory, counts, report).run();
    }
  } catch (caught) {
    if (!(caught instanceof P2mError)) throw caught;
    error = caught;
  }
  const verdict = worst(steps);
  return {
    verdict: error === undefined ? verdict : null,
    exitCode: error !== undefined ? error.exitCode : EXIT_OF[verdict],
    kernel,
    form: form?.name ?? '',
    geometry: geometry.name,
    memory: options.memory,
    steps,
    ...counts,
    final: steps.at(-1)?.final ?? null,
    ...(error === undefined ? {} : { error: { ...complaintOf(error), message: error.message } }),
  };
}

const EXIT_OF: Readonly<Record<Verdict, number>> = {
  ok: ExitCode.ok,
  violated: ExitCode.violated,
  incomplete: ExitCode.noVerdict,
};

function worst(steps: readonly StepReport[]): Verdict {
  if (steps.some((step) => step.verdict === 'violated')) return 'violated';
  return steps.some((step) => step.verdict === 'incomplete') ? 'incomplete' : 'ok';
}

function complaintOf(error: P2mError): { file: string; line?: number; byte?: number; got?: string; expected?: string } {
  const { file, line, byte, got, expected } = error.complaint;
  return {
    file: file ?? '',
    ...(line === undefined ? {} : { line }),
    ...(byte === undefined ? {} : { byte }),
    ...(got === undefined ? {} : { got }),
    ...(expected === undefined ? {} : { expected }),
  };
}

/** One step of a recording. */
class StepRun {
  readonly #files: Files;
  readonly #step: ReplayStep;
  readonly #form: Form;
  readonly #geometry: Geometry;
  readonly #memory: 'paged' | 'flat';
  readonly #counts: Counts;
  readonly #report: StepReport;
  readonly #codec: EntryCodec;

  constructor(
    files: Files,
    step: ReplayStep,
    form: Form,
    geometry: Geometry,
    memory: 'paged' | 'flat',
    counts: Counts,
    report: StepReport,
  ) {
    this.#files = files;
    this.#step = step;
    this.#form = form;
    this.#geometry = geometry;
    this.#memory = memory;
    this.#counts = counts;
    this.#report = report;
    this.#codec = new EntryCodec(geometry.entryBits);
  }

  run(): void {
    const { from, to, log } = this.#step;
    if (from === null) {
      throw inputError('a step without a dump to start from is not supported yet', {
        file: 'replay.json',
        got: '"from": null',
        expected: 'the name of a dump',
      });
    }
    const start = this.#dump(from);
    const end = to === null ? undefined : this.#dump(to);
    const lost = { ...this.#counts.lost };
    let replayer: Replayer | undefined;
    const state = listStateOf(start, this.#geometry);
    const domain = new Domain({
      form: this.#form,
      geometry: this.#geometry,
      memory: this.#memory,
      codec: this.#codec,
      nrPages: 1,
      maxPfn: state.size,
      cpus: CPUS,
      pools: 1,
      onEvents: (batch: EventBatch) => replayer?.onEvents(batch),
    });
    domain.adopt(state);
    const checkpoints = (this.#step.checkpoints ?? []).map((c) => this.#checkpoint(c, () => replayer!, domain));
    const decoder = new FtraceDecoder();
    replayer = new Replayer(domain, decoder.names, log, this.#counts, checkpoints, start.entries.length);
    this.#read(decoder, replayer);
    replayer.end();
    for (const checkpoint of checkpoints) {
      if (checkpoint.reached) continue;
      throw inputError('the log never reaches a checkpoint', {
        file: 'replay.json',
        expected: 'its `after` and `before` in the log',
      });
    }
    if (end !== undefined) this.#report.final = this.#compare(domain, end, replayer);
    const isLost =
      this.#counts.lost.events + this.#counts.lost.lines + this.#counts.lost.returns >
      lost.events + lost.lines + lost.returns;
    this.#report.verdict = replayer.violated ? 'violated' : isLost ? 'incomplete' : 'ok';
  }

  #dump(name: string): ListDump {
    return readListDump(this.#files, name, this.#codec);
  }

  /** Reads the log; what stands before a damage of the gzip is read before it is told. */
  #read(decoder: FtraceDecoder, replayer: Replayer): void {
    const { log } = this.#step;
    const raw = this.#files(log);
    if (raw === undefined) throw inputError('missing file', { file: log, expected: 'the log that replay.json names' });
    const { bytes, damage } = gunzipReadable(raw, log);
    const reader = new TraceReader(decoder, replayer, log);
    for (let at = 0; at < bytes.length; at += CHUNK_BYTES) reader.push(bytes.subarray(at, at + CHUNK_BYTES));
    if (damage !== undefined) throw damage;
    reader.end();
    if (reader.unterminated) {
      throw inputError('the last line has no newline: the log is cut', {
        file: log,
        line: reader.lines,
        expected: 'a newline',
      });
    }
    if (reader.events === 0 && decoder.header === undefined) {
      throw inputError('no events', { file: log, expected: 'a log of the kernel tracer' });
    }
    const { header } = decoder;
    if (header === undefined) return;
    const { lost } = this.#counts;
    // What the ring buffer overwrote, and lines that somebody cut from the text.
    lost.events += Math.max(0, header.entriesWritten - header.entriesInBuffer);
    lost.lines += Math.max(0, header.entriesInBuffer - reader.events);
  }

  #checkpoint(checkpoint: Checkpoint, replayer: () => Replayer, domain: Domain): CheckpointWatch {
    if (!('after' in checkpoint)) {
      throw inputError('a checkpoint by call number is not supported yet', { file: 'replay.json', got: 'beforeCall' });
    }
    const dump = this.#dump(checkpoint.dump);
    const after = eventOf(checkpoint.after.replace(/_ret$/, ''));
    const before = eventOf(checkpoint.before);
    const watch: CheckpointWatch = {
      after,
      before,
      reached: false,
      compare: () => this.#report.checkpoints.push(this.#compare(domain, dump, replayer())),
    };
    return watch;
  }

  #compare(domain: Domain, dump: ListDump, replayer: Replayer): FinalReport {
    const compared = compareWithDump(domain.memory, dump, this.#form.listForTools, (difference) => {
      const line = difference.what === 'entry' ? replayer.writerOf(difference.pfn) : 0;
      replayer.divergeAt(
        line,
        `${difference.what} of dump ${dump.name}`,
        difference.pfn,
        difference.expected,
        difference.actual,
      );
    });
    this.#counts.checked.entries += compared.entries;
    this.#counts.checked.ptes += compared.leaves;
    return { dump: dump.name, compared: compared.entries, differences: compared.differences, beyond: replayer.beyond };
  }
}

function eventOf(name: string): number {
  const event = (TraceEvent as Readonly<Record<string, number>>)[name];
  if (event === undefined) {
    throw inputError('a checkpoint names an unknown function', { file: 'replay.json', got: JSON.stringify(name) });
  }
  return event;
}

import { Buffer } from 'node:buffer';
import { EntryCodec, ExitCode, inputError, P2mError, usageError, type EventBatch } from '../../events/index.js';
import { Domain, formByKernel, GEOMETRIES, type Form, type Geometry } from '../../src/index.js';
import { gunzipReadable, type Unzipped } from '../recording/gunzip.js';
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
    form = options.kernel === undefined ? formInFile(kernel, found) : formByKernel(kernel);
    if (form.structure !== 'linear') {
      const complain = options.kernel === undefined ? inputError : usageError;
      throw complain('a recording starts from a dump of the linear list, which this kernel has not', {
        ...(options.kernel === undefined && { file: found }),
        got: `kernel ${kernel}`,
        expected: '3.19 or later',
      });
    }
    for (const step of recording.steps) {
      const report: StepReport = {
        log: step.log,
        from: step.from,
        to: step.to,
        verdict: null,
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
  #replayer: Replayer | undefined;

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
    const { bytes, damage } = this.#unzip();
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
      onEvents: (batch: EventBatch) => this.#replayer?.onEvents(batch),
    });
    domain.adopt(state);
    const checkpoints = (this.#step.checkpoints ?? []).map((c) => this.#checkpoint(c, domain));
    const decoder = new FtraceDecoder();
    const traceLog = { file: log, names: decoder.names, has: eventsIn(bytes) };
    const replayer = new Replayer(domain, traceLog, this.#counts, checkpoints, start.entries.length);
    this.#replayer = replayer;
    try {
      this.#read(bytes, damage, decoder, replayer);
    } finally {
      replayer.tally();
    }
    // Where lines are missing, the two that a checkpoint stands between may be among them.
    const unreached = checkpoints.findIndex(({ reached }) => !reached);
    if (unreached >= 0 && !replayer.isLossy) {
      throw inputError('the log never reaches a checkpoint', {
        file: 'replay.json',
        got: JSON.stringify(this.#step.checkpoints![unreached]),
        expected: `both events in ${log}, in that order`,
      });
    }
    if (end !== undefined) this.#report.final = this.#compare(domain, end, replayer);
    this.#report.verdict = replayer.verdict;
  }

  /** A dump that is what its .info says: the words from pfn 0 on, all of them. */
  #dump(name: string): ListDump {
    const dump = readListDump(this.#files, name, this.#codec);
    const { entries, file, info } = dump;
    if (entries.length === 0) throw inputError('empty dump', { file, got: '0 bytes', expected: 'an entry a pfn' });
    const { pfnStart = 0, pfnEnd = entries.length } = info ?? {};
    if (pfnStart !== 0 || pfnEnd !== entries.length) {
      throw inputError('a dump that is not what its .info says', {
        file,
        got: `${entries.length} entries`,
        expected: `pfns [${pfnStart}, ${pfnEnd}), from 0 on`,
      });
    }
    return dump;
  }

  #unzip(): Unzipped {
    const { log } = this.#step;
    const raw = this.#files(log);
    if (raw === undefined) throw inputError('missing file', { file: log, expected: 'the log that replay.json names' });
    return gunzipReadable(raw, log);
  }

  /** Reads the log; what stands before a damage of the gzip is read before it is told. */
  #read(bytes: Uint8Array, damage: P2mError | undefined, decoder: FtraceDecoder, replayer: Replayer): void {
    const { log } = this.#step;
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
    const { header } = decoder;
    if (reader.events === 0 && header === undefined) {
      throw inputError('no events', {
        file: log,
        got: `${bytes.length} bytes`,
        expected: 'a log of the kernel tracer',
      });
    }
    const { entriesInBuffer, entriesWritten } = header ?? { entriesInBuffer: 0, entriesWritten: 0 };
    replayer.end(entriesWritten - entriesInBuffer, Math.max(0, entriesInBuffer - reader.events));
  }

  #checkpoint(checkpoint: Checkpoint, domain: Domain): CheckpointWatch {
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
      compare: () => this.#report.checkpoints.push(this.#compare(domain, dump, this.#replayer!)),
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

/** Whether a log of the kernel tracer has an event of a name anywhere: asked once a name, found by the bytes of it. */
function eventsIn(bytes: Uint8Array): (event: string) => boolean {
  const search = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const known = new Map<string, boolean>();
  return (event) => {
    let has = known.get(event);
    if (has === undefined) known.set(event, (has = search.includes(` ${event}: `)));
    return has;
  };
}

function eventOf(name: string): number {
  const event = (TraceEvent as Readonly<Record<string, number>>)[name];
  if (event === undefined) {
    throw inputError('a checkpoint names an unknown function', { file: 'replay.json', got: JSON.stringify(name) });
  }
  return event;
}

import { EntryCodec, ExitCode, inputError, P2mError, usageError } from '../../events/index.js';
import { GEOMETRIES, type Form } from '../../src/index.js';
import { stateDigest } from '../events/state_digest.js';
import { replayStep, type ReplayContext, type ReplayStepInput } from './replay_step.js';
import type { EventKeeper, ReplayedDomain } from './replayed_domain.js';
import { noCounts, type ReplayReport, type StepReport, type Verdict } from './report.js';

/** What the user may choose, and who watches. */
export interface ReplayOptions {
  /** Instead of the kernel that replay.json names. */
  readonly kernel?: string;
  readonly memory: 'paged' | 'flat';
  /** Checks the chain of a binary event log too, block by block before it is played. */
  readonly chain?: boolean;
  /** Keeps the events of the replay. */
  readonly keeper?: EventKeeper;
}

/** A replay in hand: its report, which is filled step by step. */
export class RunningReplay {
  readonly report: ReplayReport;
  readonly #options: ReplayOptions;
  /** One codec for all steps, for a domain may go on from one to the next. */
  readonly #codec = new EntryCodec(GEOMETRIES.x86_64.entryBits);
  #form!: Form;

  constructor(options: ReplayOptions) {
    this.#options = options;
    this.report = {
      verdict: null,
      exitCode: ExitCode.badInput,
      kernel: options.kernel ?? '',
      form: '',
      geometry: GEOMETRIES.x86_64.name,
      memory: options.memory,
      steps: [],
      ...noCounts(),
      final: null,
    };
  }

  /** The kernel is known. `file` has named it, or nobody has. @throws {P2mError} it had no linear list */
  begin(kernel: string, form: Form, file: string | undefined): void {
    this.report.kernel = kernel;
    this.report.form = form.name;
    this.#form = form;
    if (form.structure === 'linear') return;
    const isUsers = this.#options.kernel !== undefined || file === undefined;
    throw (isUsers ? usageError : inputError)('a replay needs the linear list, which this kernel has not', {
      ...(isUsers ? {} : { file }),
      got: `kernel ${kernel}`,
      expected: '3.19 or later',
    });
  }

  /** Whether the last step ended in the list of its dump. */
  get endedWell(): boolean {
    return this.report.steps.at(-1)?.final?.differences === 0;
  }

  async step(
    from: string | null,
    to: string | null,
    log: string,
    input: (codec: EntryCodec) => Promise<ReplayStepInput>,
  ): Promise<ReplayedDomain> {
    const step: StepReport = { log, from, to, verdict: null, final: null, checkpoints: [] };
    this.report.steps.push(step);
    const { memory, keeper } = this.#options;
    const context: ReplayContext = {
      model: { kernel: this.report.kernel, form: this.#form, geometry: GEOMETRIES.x86_64, memory },
      codec: this.#codec,
      counts: this.report,
      keeper,
    };
    const end = await replayStep(await input(this.#codec), context, step);
    this.report.final = step.final;
    if (keeper !== undefined) this.report.state = stateDigest(end.domain.memory);
    return end;
  }
}

/** Runs a replay; bad input ends it, and is part of the report. */
export async function reporting(
  options: ReplayOptions,
  run: (replay: RunningReplay) => Promise<void>,
): Promise<ReplayReport> {
  const replay = new RunningReplay(options);
  const { report } = replay;
  try {
    await run(replay);
    report.verdict = worst(report.steps);
    report.exitCode = EXIT_OF[report.verdict];
  } catch (error) {
    if (!(error instanceof P2mError)) throw error;
    report.exitCode = error.exitCode;
    const { file, line, byte, got, expected } = error.complaint;
    report.error = {
      file: file ?? '',
      ...(line === undefined ? {} : { line }),
      ...(byte === undefined ? {} : { byte }),
      ...(got === undefined ? {} : { got }),
      ...(expected === undefined ? {} : { expected }),
      message: error.message,
    };
  }
  return report;
}

const EXIT_OF: Readonly<Record<Verdict, number>> = {
  ok: ExitCode.ok,
  violated: ExitCode.violated,
  incomplete: ExitCode.noVerdict,
  unknown: ExitCode.noVerdict,
};

function worst(steps: readonly StepReport[]): Verdict {
  for (const verdict of ['violated', 'incomplete', 'unknown'] as const) {
    if (steps.some((step) => step.verdict === verdict)) return verdict;
  }
  return 'ok';
}

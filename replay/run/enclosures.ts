import type { EntryCodec } from '../../events/index.js';
import { ArgKey, TraceEvent, type TraceLine } from '../trace/trace_line.js';
import { EnclosedSteps, type WrongSteps } from './enclosed_steps.js';
import type { LineArguments } from './line_arguments.js';
import { Mode, type LogCall } from './log_call.js';
import { isExchange, sameAs } from './probed_function.js';

/** The open calls of functions that are not run themselves, with the steps of each. */
export class Enclosures<Fact> {
  readonly #steps = new Map<LogCall, EnclosedSteps>();
  /** The first step of each that cannot be one of it; wrong only if the function says that it has succeeded. */
  readonly #misfits = new Map<LogCall, Fact>();
  readonly #arguments: LineArguments;
  readonly #codec: EntryCodec;

  constructor(lineArguments: LineArguments, codec: EntryCodec) {
    this.#arguments = lineArguments;
    this.#codec = codec;
  }

  /** Whether any such call is open. */
  get areAny(): boolean {
    return this.#steps.size > 0;
  }

  /** Such a call was entered. */
  enter(call: LogCall, line: TraceLine): void {
    call.mode = Mode.encloses;
    let count: number;
    if (isExchange(call.event)) {
      count = this.#arguments.pagesOfOrder(line);
      if (line.has(ArgKey.pstart)) call.pfn = Math.floor(line.number(ArgKey.pstart) / 4096);
    } else count = this.#arguments.number(line, ArgKey.count);
    const steps = new EnclosedSteps(call.event, call.pfn, count, this.#codec);
    call.stepsLeft = steps.stepsLeft;
    this.#steps.set(call, steps);
  }

  /**
   * A call that the model runs has ended: tells those of its task around it, from the innermost to the first that is no
   * part of another.
   *
   * @param calls  the open calls of its task, outermost first
   * @param looked whether the log shows look-ups at all
   * @param raced  whether another call that overlaps with it stores the same entry
   */
  note(step: LogCall, calls: readonly LogCall[], looked: boolean, raced: boolean): void {
    for (let i = calls.length - 1; i >= 0; i--) {
      const outer = calls[i]!;
      if (outer.mode !== Mode.encloses) continue;
      const steps = this.#steps.get(outer)!;
      steps.step(step, looked, raced);
      outer.stepsLeft = steps.stepsLeft;
      if (!isExchange(outer.event)) return;
    }
  }

  /**
   * A call was entered that is no part of another that the model runs: whether it can be a step of the function around it.
   *
   * @param fact what to say where it cannot
   */
  expect(step: LogCall, calls: readonly LogCall[], looked: boolean, fact: (expected: string) => Fact): void {
    const outer = calls.findLast((call) => call.mode === Mode.encloses);
    if (outer === undefined || this.#misfits.has(outer)) return;
    const expected = this.#steps.get(outer)!.misfit(step, looked);
    if (expected !== undefined) this.#misfits.set(outer, fact(expected));
  }

  /** Whether a call that was entered, and is no part of another, is no allocation that the function around it cannot make. */
  mayAllocate(step: LogCall, calls: readonly LogCall[]): boolean {
    if (sameAs(step.event) !== TraceEvent.xen_alloc_p2m_entry) return true;
    const outer = calls.findLast((call) => call.mode === Mode.encloses);
    return outer === undefined || this.#steps.get(outer)!.mayAllocate(step.pfn);
  }

  /** The first step of the call that cannot be one of it. */
  misfitOf(call: LogCall): Fact | undefined {
    return this.#misfits.get(call);
  }

  /** Whether the call's return says that all its steps were made. */
  isChecked(call: LogCall): boolean {
    return this.#steps.has(call) && (!isExchange(call.event) || call.event === TraceEvent.xen_create_contiguous_region);
  }

  /** What is wrong with the steps of the call, which has succeeded; undefined where nothing is. */
  wrong(call: LogCall): WrongSteps | undefined {
    return this.#steps.get(call)!.wrong();
  }

  /** The call has ended. */
  leave(call: LogCall): void {
    this.#steps.delete(call);
    this.#misfits.delete(call);
  }
}

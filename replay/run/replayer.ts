import { Buffer } from 'node:buffer';
import { Global } from '../../events/index.js';
import { LIST_AREA, type Domain } from '../../src/index.js';
import {
  ArgKey,
  entryOf,
  isReturn,
  KNOWN_EVENTS,
  PROBES_END,
  TraceEvent,
  type TraceLine,
} from '../trace/trace_line.js';
import type { TraceHandler } from '../trace/trace_reader.js';
import { CallWindow } from './call_window.js';
import { Divergences, type Found } from './divergences.js';
import { Enclosures } from './enclosures.js';
import type { Knowledge } from './knowledge.js';
import { LastWriters } from './last_writers.js';
import { LineArguments, type TraceLog } from './line_arguments.js';
import { LineCounts } from './line_counts.js';
import { Mode, type LogCall } from './log_call.js';
import { ModelRunner } from './model_runner.js';
import { PageTableLines } from './page_table_lines.js';
import { isBoot, isChecked, isEnclosing, mayContain, sameAs, takesPfn, takesValue } from './probed_function.js';
import type { Counts, Verdict } from './report.js';
import { operationOf, TaskCalls, type Task } from './task_calls.js';
import { ValueChecks } from './value_checks.js';

const E = TraceEvent;
/** Later than every line: the log has ended. */
const AFTER_LOG = Number.MAX_SAFE_INTEGER;

/** Told when a moment of the log is reached at which a dump was taken. */
export interface CheckpointWatch {
  /** Entry events of the two functions that it stands between; or the number of the call before which it stands. */
  readonly after: number;
  readonly before: number;
  readonly beforeCall: number;
  reached: boolean;
  compare(): void;
}

/**
 * Drives a domain with the calls of a log and compares what was recorded with what the model says. Lines of one task pair
 * up and nest (task_calls.ts); a call runs in the model at its entry line, in another order where that is what was
 * recorded (call_window.ts), and the lines of the calls inside it are compared with the calls that the model made. After
 * a divergence the model goes on from its own state.
 */
export class Replayer implements TraceHandler {
  readonly #domain: Domain;
  readonly #arguments: LineArguments;
  readonly #lines: LineCounts;
  readonly #counts: Counts;
  readonly #checkpoints: readonly CheckpointWatch[];
  readonly #tasks: TaskCalls;
  readonly #knowledge: Knowledge;
  readonly #runner: ModelRunner;
  readonly #window: CallWindow<Found>;
  readonly #pageTables: PageTableLines;
  readonly #divergences: Divergences;
  readonly #checks: ValueChecks;
  readonly #enclosures: Enclosures<Found>;
  readonly #writers: LastWriters;
  /** xen_vmalloc_p2m_tree waits for the note behind it, which says xen_max_p2m_pfn. */
  #waiting: LogCall | undefined;
  #lacksMaxPfn = false;
  /** The line in hand. */
  #now = 0;
  /** First line that says that something is missing before it. */
  #lossLine = Infinity;

  /** @param knownPfns pfns of the list that dumps tell of */
  constructor(
    domain: Domain,
    knowledge: Knowledge,
    log: TraceLog,
    counts: Counts,
    checkpoints: readonly CheckpointWatch[],
    knownPfns: number,
  ) {
    this.#domain = domain;
    this.#arguments = new LineArguments(log, domain.memory.codec);
    this.#lines = new LineCounts(counts, log.names);
    this.#counts = counts;
    this.#checkpoints = checkpoints;
    this.#writers = new LastWriters(knownPfns);
    this.#enclosures = new Enclosures(this.#arguments, domain.memory.codec);
    this.#tasks = new TaskCalls((call, task) => this.#onEnd(call, task), log.behalfs);
    this.#knowledge = knowledge;
    this.#runner = new ModelRunner(domain, knowledge);
    this.#window = new CallWindow(
      this.#runner,
      (call) => this.#writers.note(call),
      (call) => this.#tasks.free(call),
    );
    this.#pageTables = new PageTableLines(domain, knowledge);
    this.#divergences = new Divergences(counts, log.file);
    this.#checks = new ValueChecks({
      codec: domain.memory.codec,
      counts,
      lineArguments: this.#arguments,
      lines: this.#lines,
      window: this.#window,
      enclosures: this.#enclosures,
      divergences: this.#divergences,
      writers: this.#writers,
    });
  }

  /**
   * What the beginning of the log, as far as it is at hand, shows of probes on returns: it saves doubts about the first
   * calls (task_calls.ts).
   */
  lookAhead(beginning: Uint8Array): void {
    const text = Buffer.from(beginning.buffer, beginning.byteOffset, beginning.length);
    for (let event = 0; event < PROBES_END; event += 2) {
      const name = `${this.#arguments.nameOf(event)}_ret: `;
      if (text.includes(` ${name}`) || text.includes(`:${name}`)) this.#tasks.expectReturns(event);
    }
  }

  onEvent(line: TraceLine): void {
    // Whoever reads the log complains of a last line that is cut; its numbers are not to be believed.
    if (line.unterminated) return;
    this.#now = line.line;
    this.#lines.count(line);
    const { event } = line;
    if (event >= KNOWN_EVENTS) return;
    if (this.#waiting !== undefined) this.#runUnnoted();
    const task = this.#tasks.of(line);
    if (event >= PROBES_END) this.#onPageTable(task, line);
    else if (isReturn(event)) this.#onReturn(task, line);
    else this.#onEntry(task, line);
    task.lastLine = line.line;
  }

  onLoss(line: TraceLine): void {
    // "LOST EVENTS" without a number: one at least.
    this.#counts.lost.events += Math.max(1, line.lost);
    this.#lossLine = Math.min(this.#lossLine, line.line);
  }

  /** A note of an early-boot log: what the kernel's variables held when the last call was entered. */
  onNote(line: TraceLine): void {
    const waiting = this.#waiting;
    if (waiting === undefined) return;
    const size = this.#domain.global(Global.xen_p2m_size);
    if (line.has(ArgKey.xen_p2m_size) && line.number(ArgKey.xen_p2m_size) !== size) {
      this.#checks.diverge(line, waiting, 'xen_p2m_size', hex(size), line.hex(ArgKey.xen_p2m_size));
    }
    if (line.has(ArgKey.xen_max_p2m_pfn)) {
      const maxPfn = line.number(ArgKey.xen_max_p2m_pfn);
      if (maxPfn > this.#domain.memory.layout.areaPfns) {
        throw this.#arguments.bad(
          'xen_max_p2m_pfn out of range',
          line,
          line.hex(ArgKey.xen_max_p2m_pfn),
          'within the list',
        );
      }
      // setup.c has found extra memory behind the list, and tells nobody but this variable.
      this.#domain.setGlobal(Global.xen_max_p2m_pfn, maxPfn);
    }
    this.#runWaiting();
  }

  /**
   * The log has been read to its end.
   *
   * @param overwritten events that the tracer wrote and then overwrote, as the log's header says
   * @param cut         lines that the log's header counts and that are not there
   */
  end(overwritten: number, cut: number): void {
    this.#now = AFTER_LOG;
    if (this.#waiting !== undefined) this.#runUnnoted();
    this.#tasks.end();
    this.#domain.flush();
    const { lost } = this.#counts;
    lost.events += overwritten;
    lost.lines += cut;
    lost.returns += this.#tasks.lost;
    // Nobody knows where they are missing, unless they are the ones that the pairs lack.
    if (overwritten > 0 || cut > this.#tasks.lost) this.#lossLine = 0;
  }

  /** Adds what has been read to the counts: after `end`, or where the log could not be read on. */
  tally(): void {
    const counts = this.#counts;
    for (let event = 0; event < PROBES_END; event += 2) {
      if (event === E.get_phys_to_machine) counts.unchecked.lookups += this.#tasks.unchecked(event);
      else if (isChecked(event)) counts.unchecked.returns += this.#tasks.unchecked(event);
    }
    counts.overlaps += this.#tasks.overlaps;
    counts.reordered += this.#window.reordered;
    counts.undecided += this.#checks.undecided;
    this.#lines.tally();
  }

  /** Who wrote which pfn last. */
  get writers(): LastWriters {
    return this.#writers;
  }

  /** Whether anything is missing in the log. */
  get isLossy(): boolean {
    return Math.min(this.#lossLine, this.#tasks.lossLine) < Infinity;
  }

  /** `violated` where something contradicted the model before the first loss: what comes after it may be the loss's doing. */
  get verdict(): Verdict {
    if (this.#divergences.firstLine < Math.min(this.#lossLine, this.#tasks.lossLine)) return 'violated';
    if (this.isLossy) return 'incomplete';
    return this.#checks.undecided > 0 ? 'unknown' : 'ok';
  }

  /** Notes a contradiction that a comparison with a dump has found; `line` is where to look. */
  divergeAt(line: number, operation: string, pfn: number, expected: string, actual: string): void {
    const seq = this.#counts.events;
    this.#divergences.add({ line, seq, cpu: -1, task: '', text: '', operation, pfn, expected, actual }, this.#now);
  }

  #onEntry(task: Task, line: TraceLine): void {
    const { event } = line;
    if (this.#checkpoints.length > 0) this.#watch(line);
    this.#tasks.settle(task, event, line.line);
    if (this.#tasks.isOutermost(task)) this.#lines.countOperation(event);
    const around = operationOf(task.calls);
    const call = this.#tasks.open(task, line);
    if (isEnclosing(event)) this.#enclosures.enter(call, line);
    else if (isBoot(event)) this.#boot(call, line);
    else if (takesPfn(event)) {
      call.pfn = this.#arguments.pfn(line);
      if (takesValue(event)) call.value = this.#arguments.word(line, ArgKey.mfn);
      if (around !== undefined && this.#isPart(call, around, line)) return;
      this.#mustBeCpu(line);
      call.mode = Mode.ran;
      if (this.#enclosures.areAny) this.#expectStep(call, task, line);
      this.#window.enter(call);
    }
  }

  #mustBeCpu(line: TraceLine): void {
    const { length } = this.#domain.cpus;
    if (line.cpu >= length)
      throw this.#arguments.bad('too many CPUs', line, `CPU ${line.cpu}`, `at most ${length} CPUs`);
  }

  #expectStep(call: LogCall, task: Task, line: TraceLine): void {
    if (!this.#enclosures.mayAllocate(call, task.calls))
      this.#checks.diverge(line, call, 'call', 'no such call: the store has succeeded', 'a call');
    this.#enclosures.expect(call, task.calls, this.#looks, (expected) =>
      this.#checks.found(line, call, 'step', expected, `pfn ${hex(call.pfn)}, mfn ${this.#checks.hexWord(call.value)}`),
    );
  }

  /** Whether the log shows look-ups. */
  get #looks(): boolean {
    return this.#lines.of(E.get_phys_to_machine) > 0;
  }

  /** A checkpoint's moment may be now, before the call that this line enters. */
  #watch(line: TraceLine): void {
    for (const checkpoint of this.#checkpoints) {
      if (checkpoint.reached) continue;
      const here =
        checkpoint.beforeCall > 0
          ? line.call >= checkpoint.beforeCall
          : checkpoint.before === line.event && this.#lines.of(checkpoint.after + 1) > 0;
      if (!here) continue;
      checkpoint.reached = true;
      this.#domain.flush();
      checkpoint.compare();
    }
  }

  /** Whether the call is one inside `around`: then its line must show the arguments that the model's has. */
  #isPart(call: LogCall, around: LogCall, line: TraceLine): boolean {
    if (!mayContain(around.event, call.event)) return false;
    const index = around.nextModelCall(sameAs(call.event));
    // Without its return's probe nothing says that the one around has not ended, but that the model makes this call.
    if (index === 0 && !this.#tasks.hasReturns(around.event)) return false;
    call.mode = Mode.part;
    call.around = around;
    call.modelIndex = index;
    around.parts.push(call);
    if (index > 0) around.partsMet = around.parts.length;
    const made = around.model[index]!;
    if (index === 0) this.#checks.check(call, line, 'call', 'no such call', 'a call');
    else {
      if (made.pfn !== call.pfn) this.#checks.diverge(line, call, 'pfn', hex(made.pfn), hex(call.pfn));
      if (takesValue(call.event) && made.value !== call.value) {
        this.#checks.diverge(line, call, 'mfn', this.#checks.hexWord(made.value), this.#checks.hexWord(call.value));
      }
      this.#window.show(call);
      if (this.#window.isReordered) {
        this.#checks.tell(this.#window.checkBounds(around), line, () =>
          this.#checks.found(line, call, 'order', 'its effect before this line', 'its entry'),
        );
      }
    }
    return true;
  }

  #boot(call: LogCall, line: TraceLine): void {
    // The tools' tree is built at every resume; the list once.
    const isBuilt = this.#domain.global(Global.xen_p2m_addr) === LIST_AREA;
    if (isBuilt && call.event !== E.xen_build_mfn_list_list) {
      this.#checks.diverge(line, call, 'call', 'no such call: the list is built', 'a call');
      return;
    }
    this.#mustBeCpu(line);
    call.mode = Mode.ran;
    if (call.event === E.set_phys_range_identity) {
      call.pfn = this.#arguments.pfnEnd(line, ArgKey.pfn_s);
      call.count = this.#arguments.pfnEnd(line, ArgKey.pfn_e);
    }
    if (call.event === E.xen_vmalloc_p2m_tree) this.#waiting = call;
    else this.#window.enter(call);
  }

  /** Whether xen_p2m_last_pfn of the model follows from what the log says: the boot begins with xen_max_p2m_pfn. */
  get knowsLastPfn(): boolean {
    return !this.#lacksMaxPfn;
  }

  #runUnnoted(): void {
    this.#lacksMaxPfn = true;
    this.#runWaiting();
  }

  #runWaiting(): void {
    const call = this.#waiting!;
    this.#waiting = undefined;
    this.#window.enter(call);
  }

  #onReturn(task: Task, line: TraceLine): void {
    const event = entryOf(line.event);
    const call = this.#tasks.returned(task, event, line.line);
    if (call === undefined) return;
    if (this.#enclosures.isChecked(call)) this.#checks.enclosing(call, line);
    else if (event === E.get_phys_to_machine) this.#checks.lookUp(call, line);
    else if (takesPfn(event)) this.#checks.returned(call, line);
    else if (event === E.alloc_p2m_page) this.#takePage(task, line);
    this.#tasks.close(task);
  }

  /** A page that an allocation of the task was given, or that it was not: then this attempt failed. */
  #takePage(task: Task, line: TraceLine): void {
    const alloc = allocationOf(task);
    if (alloc === undefined || !line.has(ArgKey.page)) return;
    const address = line.number(ArgKey.page);
    alloc.pages.push(Math.floor(address / 4096));
    if (address === 0 && alloc.failAt === 0) alloc.failAt = alloc.pages.length;
  }

  /** A line of the page-table tracepoints. */
  #onPageTable(task: Task, line: TraceLine): void {
    const alloc = allocationOf(task);
    const event = this.#arguments.nameOf(line.event);
    if (alloc !== undefined) {
      const check = this.#pageTables.checkAllocation(alloc, line);
      if (typeof check === 'object' && !this.#window.overlaps) {
        this.#checks.diverge(line, alloc, event, check.expected, check.actual);
      }
    }
    const check = this.#pageTables.checkFrame(line);
    if (check === 'unknown') return;
    if (typeof check === 'object') {
      // A store of another task that is not finished: its pfn has no one value now.
      if (this.#window.touches(check.pfn)) return;
      const found = this.#checks.found(line, undefined, event, check.expected, check.actual);
      this.#divergences.add(this.#checks.withWriter({ ...found, pfn: check.pfn }), line.line);
    }
    if (alloc === undefined) this.#counts.checked.frames++;
  }

  /** A call has ended, and leaves its task. */
  #onEnd(call: LogCall, task: Task): void {
    if (call.mode === Mode.ran) {
      if (this.#enclosures.areAny) {
        const raced = this.#window.touches(call.pfn, call) || this.#knowledge.racedWords(call.pfn) !== undefined;
        this.#enclosures.note(call, task.calls, this.#looks, raced);
      }
      this.#window.leave(call);
    } else if (call.mode === Mode.encloses) {
      this.#enclosures.leave(call);
      this.#tasks.free(call);
    } else if (call.mode === Mode.unused || call.around?.parts.includes(call) !== true) this.#tasks.free(call);
  }
}

/** The allocation that the task is in the middle of. */
function allocationOf(task: Task): LogCall | undefined {
  return task.calls.findLast((call) => sameAs(call.event) === E.xen_alloc_p2m_entry && !call.dormant);
}

function hex(n: number): string {
  return `0x${n.toString(16)}`;
}

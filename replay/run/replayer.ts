import { inputError, INVALID, KINDS, type EventBatch, type P2mError, type Word } from '../../events/index.js';
import type { Domain } from '../../src/index.js';
import {
  argName,
  ArgKey,
  entryOf,
  isReturn,
  KNOWN_EVENTS,
  PROBES_END,
  TraceEvent,
  type TraceLine,
  type TraceNames,
} from '../trace/trace_line.js';
import type { TraceHandler } from '../trace/trace_reader.js';
import { InnerCalls, Mode, type InnerCall, type OpenCall } from './open_call.js';
import {
  isChecked,
  isGrant,
  isInnerStep,
  isUsed,
  operationsOf,
  sameAs,
  takesValue,
  type Run,
} from './probed_function.js';
import { add, DIVERGENCES_MAX, type Counts, type Verdict } from './report.js';
import { operationOf, TaskCalls, type Task } from './task_calls.js';

const E = TraceEvent;
const PFN_END = 2 ** 52;

/** Later than every line: the log has ended. */
const AFTER_LOG = Number.MAX_SAFE_INTEGER;

/** Told when a moment of the log is reached at which a dump was taken. */
export interface CheckpointWatch {
  readonly after: number;
  readonly before: number;
  reached: boolean;
  compare(): void;
}

/** A log, as far as it must be known before its first line is replayed. */
export interface TraceLog {
  readonly file: string;
  readonly names: TraceNames;
  /** Whether the log has an event of this name anywhere. */
  readonly has: (event: string) => boolean;
}

/**
 * Drives a domain with the calls of a log and compares what was recorded with what the model says. Lines of one task
 * pair up and nest; a call runs in the model at its entry line, and the lines of the calls inside it are compared with
 * the calls that the model made. After a divergence the model goes on from its own state.
 */
export class Replayer implements TraceHandler {
  readonly #domain: Domain;
  readonly #log: TraceLog;
  readonly #counts: Counts;
  readonly #checkpoints: readonly CheckpointWatch[];
  readonly #inner = new InnerCalls();
  readonly #tasks: TaskCalls;
  /** What the model runs for an entry event. */
  readonly #operationOf: readonly (Run | undefined)[];
  /** Whether a function has had a return line, by its entry event. */
  readonly #returnSeen = new Uint8Array(PROBES_END);
  readonly #operations = new Uint32Array(PROBES_END);
  readonly #events: number[] = [];
  readonly #taskLines: number[] = [];
  /** Line of the call that wrote a pfn last; 0 for nobody. */
  readonly #writer: Int32Array;
  /** Line of the call in hand, and the word that it overwrote last. */
  #origin = 0;
  #overwritten: Word = INVALID;
  #beyond = 0;
  /** The line in hand. */
  #now = 0;
  /** First line that says that something is missing before it, and line in hand at the first contradiction. */
  #lossLine = Infinity;
  #divergedAt = Infinity;
  #lastCpu = -1;
  readonly #lastTime = { timeHi: 0, timeLo: 0, timeFraction: 0, timeDigits: -1 };

  /** @param knownPfns pfns of the list that dumps tell of */
  constructor(
    domain: Domain,
    log: TraceLog,
    counts: Counts,
    checkpoints: readonly CheckpointWatch[],
    knownPfns: number,
  ) {
    this.#domain = domain;
    this.#log = log;
    this.#counts = counts;
    this.#checkpoints = checkpoints;
    this.#writer = new Int32Array(knownPfns);
    this.#operationOf = operationsOf(domain);
    const hasReturns = new Int8Array(PROBES_END).fill(-1);
    this.#tasks = new TaskCalls((event) => {
      if (hasReturns[event]! < 0) hasReturns[event] = log.has(`${this.#nameOf(event)}_ret`) ? 1 : 0;
      return hasReturns[event] === 1;
    });
    for (const cpu of domain.cpus) cpu.observer = this.#inner;
  }

  onEvent(line: TraceLine): void {
    // Whoever reads the log complains of a last line that is cut; its numbers are not to be believed.
    if (line.unterminated) return;
    this.#now = line.line;
    this.#counts.events++;
    if (line.cpu !== this.#lastCpu && line.sameTime(this.#lastTime)) this.#counts.ties++;
    this.#lastCpu = line.cpu;
    this.#lastTime.timeHi = line.timeHi;
    this.#lastTime.timeLo = line.timeLo;
    this.#lastTime.timeFraction = line.timeFraction;
    this.#lastTime.timeDigits = line.timeDigits;
    this.#events[line.event] = (this.#events[line.event] ?? 0) + 1;
    this.#taskLines[line.task] = (this.#taskLines[line.task] ?? 0) + 1;
    if (line.event >= PROBES_END) return;
    const task = this.#tasks.of(line);
    if (isReturn(line.event)) this.#onReturn(task, line);
    else this.#onEntry(task, line);
    task.lastLine = line.line;
  }

  onLoss(line: TraceLine): void {
    // "LOST EVENTS" without a number: one at least.
    this.#counts.lost.events += Math.max(1, line.lost);
    this.#lossLine = Math.min(this.#lossLine, line.line);
  }

  /** Takes the events of the domain: who wrote which pfn last. */
  onEvents(batch: EventBatch): void {
    for (let i = 0; i < batch.length; i++) {
      if (batch.kind[i] === KINDS.call.id) this.#origin = batch.e[i]!;
      else if (batch.kind[i] === KINDS.set_entry.id) {
        const pfn = batch.a[i]!;
        this.#overwritten = batch.c[i]!;
        if (pfn < this.#writer.length) this.#writer[pfn] = this.#origin;
        else this.#beyond++;
      }
    }
  }

  /**
   * The log has been read to its end.
   *
   * @param overwritten events that the tracer wrote and then overwrote, as the log's header says
   * @param cut         lines that the log's header counts and that are not there
   */
  end(overwritten: number, cut: number): void {
    this.#now = AFTER_LOG;
    this.#tasks.end();
    const { lost } = this.#counts;
    lost.events += overwritten;
    lost.lines += cut;
    lost.returns += this.#tasks.lost;
    // Nobody knows where they are missing, unless they are the ones that the pairs lack.
    if (overwritten > 0 || cut > this.#tasks.lost) this.#lossLine = 0;
  }

  /** Adds what has been read to the counts: after `end`, or where the log could not be read on. */
  tally(): void {
    const { unchecked, unused, operations, tasks } = this.#counts;
    for (let event = 0; event < PROBES_END; event += 2) {
      if (event === E.get_phys_to_machine) unchecked.lookups += this.#tasks.unchecked(event);
      else if (isChecked(event)) unchecked.returns += this.#tasks.unchecked(event);
    }
    this.#events.forEach((count, event) => {
      if (event >= KNOWN_EVENTS || !isUsed(event)) add(unused, this.#nameOf(event), count);
    });
    this.#operations.forEach((count, event) => {
      if (count > 0) add(operations, this.#nameOf(event), count);
    });
    this.#taskLines.forEach((count, task) => add(tasks, this.#log.names.tasks.name(task) ?? '?', count));
  }

  /** Stores past the dump's last pfn. */
  get beyond(): number {
    return this.#beyond;
  }

  /** Whether anything is missing in the log. */
  get isLossy(): boolean {
    return Math.min(this.#lossLine, this.#tasks.lossLine) < Infinity;
  }

  /** `violated` where something contradicted the model before the first loss: what comes after it may be the loss's doing. */
  get verdict(): Verdict {
    if (this.#divergedAt < Math.min(this.#lossLine, this.#tasks.lossLine)) return 'violated';
    return this.isLossy ? 'incomplete' : 'ok';
  }

  /** Line of the call that wrote the entry of `pfn` last; 0 for nobody. */
  writerOf(pfn: number): number {
    return this.#writer[pfn] ?? 0;
  }

  /** Notes a contradiction that a comparison with a dump has found; `line` is where to look. */
  divergeAt(line: number, operation: string, pfn: number, expected: string, actual: string): void {
    this.#note({ line, cpu: -1, task: '', text: '', operation, pfn, expected, actual });
  }

  #onEntry(task: Task, line: TraceLine): void {
    const { event } = line;
    for (const checkpoint of this.#checkpoints) {
      if (checkpoint.reached || checkpoint.before !== event || this.#returnSeen[checkpoint.after] === 0) continue;
      checkpoint.reached = true;
      checkpoint.compare();
    }
    this.#tasks.settle(task, event);
    if (task.calls.length === 0) {
      this.#operations[event]!++;
      if (this.#tasks.returnable > 0) this.#counts.overlaps++;
    }
    const around = operationOf(task.calls);
    const grant = task.calls.findLast((open) => open.mode === Mode.encloses);
    this.#enter(this.#tasks.open(task, event, line.line), around, grant, line);
  }

  /** Decides what the call is to the replay, and runs it where it is an operation. */
  #enter(call: OpenCall, around: OpenCall | undefined, grant: OpenCall | undefined, line: TraceLine): void {
    const { event } = call;
    const operation = this.#operationOf[event];
    if (operation === undefined) {
      if (isGrant(event)) call.slots = this.#argument(line, ArgKey.count);
      call.mode = isInnerStep(event) ? Mode.unused : Mode.encloses;
      return;
    }
    call.pfn = this.#pfn(line);
    if (takesValue(event)) call.value = this.#word(line, ArgKey.mfn);
    const inner = around?.nextInner(sameAs(event)) ?? -1;
    if (inner >= 0) {
      this.#isPart(call, around!, inner, line);
      return;
    }
    this.#run(call, operation, line);
    if (grant !== undefined) this.#countGrantStep(grant, call);
  }

  /** The model made this call inside the operation that it ran: the line must show the same arguments. */
  #isPart(call: OpenCall, around: OpenCall, index: number, line: TraceLine): void {
    const inner: InnerCall = around.inner[index]!;
    around.shown = index + 1;
    call.mode = Mode.part;
    if (inner.ret === undefined) call.died = around.died;
    else call.ret = inner.ret;
    if (inner.pfn !== call.pfn) this.#diverge(line, call, 'pfn', hex(inner.pfn), hex(call.pfn));
    if (takesValue(call.event) && inner.value !== call.value) {
      this.#diverge(line, call, 'mfn', this.#hexWord(inner.value), this.#hexWord(call.value));
    }
  }

  #run(call: OpenCall, { name, machine }: Run, line: TraceLine): void {
    const { cpu } = line;
    if (cpu >= this.#domain.cpus.length) {
      const expected = `at most ${this.#domain.cpus.length} CPUs`;
      throw this.#bad('too many CPUs', line, `CPU ${cpu}`, expected);
    }
    call.mode = Mode.ran;
    const outcome = this.#domain.run(name, machine, call.pfn, call.value, 0, cpu, line.line);
    this.#domain.flush();
    call.inner = this.#inner.take();
    if (outcome.kind === 'bug') call.died = `BUG ${outcome.bug}`;
    else if (outcome.kind === 'fault') call.died = `a ${outcome.access} fault`;
    else call.ret = outcome.kind === 'errno' ? (outcome.value === 0 ? 1 : 0) : outcome.value;
  }

  /** What the enclosing grant operation expects: a FOREIGN store of a pfn just found INVALID, or INVALID over FOREIGN. */
  #countGrantStep(grant: OpenCall, call: OpenCall): void {
    const { codec } = this.#domain.memory;
    if (call.died !== '') return;
    if (call.event === E.get_phys_to_machine) {
      if (call.ret === INVALID) grant.foundInvalid.push(call.pfn);
      return;
    }
    if (!takesValue(call.event) || call.ret === 0) return;
    if (grant.event === E.set_foreign_p2m_mapping) {
      const found = grant.foundInvalid.includes(call.pfn) || !this.#log.has(this.#nameOf(E.get_phys_to_machine));
      if (codec.isForeign(call.value) && found) grant.stores++;
    } else if (call.value === INVALID && codec.isForeign(this.#overwritten)) grant.stores++;
    grant.foundInvalid.length = 0;
  }

  #onReturn(task: Task, line: TraceLine): void {
    const event = entryOf(line.event);
    this.#returnSeen[event] = 1;
    const call = this.#tasks.returned(task, event, line.line);
    if (call === undefined) return;
    if (isGrant(event)) this.#checkGrant(call, line);
    else if (call.mode === Mode.ran || call.mode === Mode.part) this.#checkReturn(call, line);
    this.#tasks.close(task);
  }

  #checkReturn(call: OpenCall, line: TraceLine): void {
    if (call.event === E.get_phys_to_machine) {
      const seen = this.#word(line, ArgKey.mfn);
      this.#counts.checked.lookups++;
      if (call.died !== '') this.#diverge(line, call, 'look-up', call.died, this.#hexWord(seen));
      else if (seen !== call.ret) this.#diverge(line, call, 'look-up', this.#hexWord(call.ret), this.#hexWord(seen));
      return;
    }
    this.#argument(line, ArgKey.ret);
    this.#counts.checked.returns++;
    const errno = call.event === E.xen_alloc_p2m_entry;
    // A bare $retval of a bool function shows the whole register: only its low byte is the value.
    const returned = errno ? line.int(ArgKey.ret) : line.int(ArgKey.ret) & 0xff;
    const succeeded = errno ? returned === 0 : returned !== 0;
    const recorded = String(returned);
    if (call.died !== '') this.#diverge(line, call, 'return', call.died, recorded);
    else if (succeeded !== (call.ret !== 0)) {
      const model = errno ? (call.ret !== 0 ? '0' : '-12') : String(call.ret);
      this.#diverge(line, call, 'return', model, recorded);
    }
  }

  /** A grant operation that succeeded has stored once for each slot. */
  #checkGrant(call: OpenCall, line: TraceLine): void {
    this.#argument(line, ArgKey.ret);
    if (line.int(ArgKey.ret) !== 0) {
      this.#counts.unchecked.returns++;
      return;
    }
    this.#counts.checked.returns++;
    if (call.stores === call.slots) return;
    const kind =
      call.event === E.set_foreign_p2m_mapping
        ? 'FOREIGN stores after an INVALID look-up'
        : 'INVALID stores over FOREIGN';
    this.#diverge(line, call, 'return', `${call.slots} ${kind}`, `${call.stores}`);
  }

  #argument(line: TraceLine, key: ArgKey): number {
    if (line.has(key)) return line.number(key);
    const name = argName(key);
    throw this.#bad(`${this.#nameOf(line.event)} without ${name}=`, line, 'no such argument', `${name}=...`);
  }

  #pfn(line: TraceLine): number {
    const pfn = this.#argument(line, ArgKey.pfn);
    if (pfn < PFN_END) return pfn;
    throw this.#bad('pfn out of range', line, line.hex(ArgKey.pfn), 'below 2^52');
  }

  #word(line: TraceLine, key: ArgKey): Word {
    this.#argument(line, key);
    return this.#domain.memory.codec.fromRaw(line.hi[key]!, line.lo[key]!);
  }

  #bad(what: string, line: TraceLine, got: string, expected: string): P2mError {
    return inputError(what, { file: this.#log.file, line: line.line, text: line.text(), got, expected });
  }

  #nameOf(event: number): string {
    return this.#log.names.events.name(event) ?? `event ${event}`;
  }

  #hexWord(word: Word): string {
    return this.#domain.memory.codec.toHex(word);
  }

  #diverge(line: TraceLine, call: OpenCall, what: string, expected: string, actual: string): void {
    const operation = `${this.#nameOf(call.event)}${what === 'return' ? '' : ` ${what}`}`;
    const task = `${this.#log.names.tasks.name(line.task) ?? '?'}-${line.pid}`;
    const { pfn } = call;
    this.#note({ line: line.line, cpu: line.cpu, task, text: line.text().trim(), operation, pfn, expected, actual });
  }

  #note(found: Found): void {
    const { divergences } = this.#counts;
    this.#counts.divergenceCount++;
    this.#divergedAt = Math.min(this.#divergedAt, this.#now);
    if (divergences.length >= DIVERGENCES_MAX) return;
    divergences.push({ ...found, file: this.#log.file, seq: this.#counts.events, pfn: hex(found.pfn) });
  }
}

interface Found {
  readonly line: number;
  readonly cpu: number;
  readonly task: string;
  readonly text: string;
  readonly operation: string;
  readonly pfn: number;
  readonly expected: string;
  readonly actual: string;
}

function hex(n: number): string {
  return `0x${n.toString(16)}`;
}

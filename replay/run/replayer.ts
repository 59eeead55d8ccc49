import { inputError, INVALID, KINDS, type EventBatch, type OperationName, type Word } from '../../events/index.js';
import type { Domain, Machine } from '../../src/index.js';
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
import { InnerCalls, Mode, OpenCall } from './open_call.js';
import { add, DIVERGENCES_MAX, type Counts } from './report.js';

const E = TraceEvent;
const PFN_END = 2 ** 52;
/** A task's calls nest this deep at most; deeper is a log that has lost its returns. */
const DEPTH_MAX = 64;

/** Told when a moment of the log is reached at which a dump was taken. */
export interface CheckpointWatch {
  readonly after: number;
  readonly before: number;
  reached: boolean;
  compare(): void;
}

/**
 * Drives a domain with the calls of a log and compares what was recorded with what the model says. Lines of one task
 * pair up and nest; a call runs in the model at its entry line, and the lines of the calls inside it are compared with
 * the calls that the model made. After a divergence the model goes on from its own state.
 */
export class Replayer implements TraceHandler {
  readonly #domain: Domain;
  readonly #names: TraceNames;
  readonly #file: string;
  readonly #counts: Counts;
  readonly #checkpoints: readonly CheckpointWatch[];
  readonly #inner = new InnerCalls();
  /** Open calls by task: pid, or for the idle tasks, which share pid 0, -1 - CPU. */
  readonly #tasks = new Map<number, OpenCall[]>();
  readonly #spare: OpenCall[] = [];
  /** What the model runs for an entry event. */
  readonly #operationOf: readonly (Run | undefined)[];
  /** Calls left open for want of a return line, by entry event. */
  readonly #unreturned = new Uint32Array(PROBES_END);
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
  #open = 0;
  #beyond = 0;
  #lossLine = 0;
  #firstDivergence = 0;
  #lastCpu = -1;
  readonly #lastTime = { timeHi: 0, timeLo: 0, timeFraction: 0, timeDigits: -1 };

  constructor(
    domain: Domain,
    names: TraceNames,
    file: string,
    counts: Counts,
    checkpoints: readonly CheckpointWatch[],
    knownPfns: number,
  ) {
    this.#domain = domain;
    this.#names = names;
    this.#file = file;
    this.#counts = counts;
    this.#checkpoints = checkpoints;
    this.#writer = new Int32Array(knownPfns);
    this.#operationOf = operationsOf(domain);
    for (const cpu of domain.cpus) cpu.observer = this.#inner;
  }

  onEvent(line: TraceLine): void {
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
    if (isReturn(line.event)) this.#onReturn(line);
    else this.#onEntry(line);
  }

  onLoss(line: TraceLine): void {
    this.#counts.lost.lines++;
    if (line.lost > 0) this.#counts.lost.events += line.lost;
    if (this.#lossLine === 0) this.#lossLine = line.line;
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

  /** The log has ended: calls that are still open have lost their return, or never had a probe for it. */
  end(): void {
    for (const calls of this.#tasks.values()) for (const call of calls) this.#unreturned[call.event]!++;
    for (let event = 0; event < PROBES_END; event += 2) {
      const open = this.#unreturned[event]!;
      if (open === 0) continue;
      if (this.#returnSeen[event] !== 0) this.#counts.lost.returns += open;
      else if (event === E.get_phys_to_machine) this.#counts.unchecked.lookups += open;
      else if (isChecked(event)) this.#counts.unchecked.returns += open;
    }
    this.#events.forEach((count, event) => {
      if (event >= KNOWN_EVENTS || !isUsed(event)) add(this.#counts.unused, this.#nameOf(event), count);
    });
    this.#operations.forEach((count, event) => {
      if (count > 0) add(this.#counts.operations, this.#nameOf(event), count);
    });
    this.#taskLines.forEach((count, task) => add(this.#counts.tasks, this.#names.tasks.name(task) ?? '?', count));
  }

  /** Stores past the dump's last pfn. */
  get beyond(): number {
    return this.#beyond;
  }

  /** Whether a value contradicted the model before anything was lost. */
  get violated(): boolean {
    return this.#firstDivergence > 0 && (this.#lossLine === 0 || this.#firstDivergence < this.#lossLine);
  }

  /** Line of the call that wrote the entry of `pfn` last; 0 for nobody. */
  writerOf(pfn: number): number {
    return this.#writer[pfn] ?? 0;
  }

  /** Notes a contradiction that a comparison with a dump has found. */
  divergeAt(line: number, operation: string, pfn: number, expected: string, actual: string): void {
    this.#note({ line, cpu: -1, task: '', text: '', operation, pfn, expected, actual });
  }

  #onEntry(line: TraceLine): void {
    const { event } = line;
    for (const checkpoint of this.#checkpoints) {
      if (checkpoint.reached || checkpoint.before !== event || this.#returnSeen[checkpoint.after] === 0) continue;
      checkpoint.reached = true;
      checkpoint.compare();
    }
    const calls = this.#callsOf(line);
    this.#closeUnreturned(calls, event);
    const parent = calls.at(-1);
    if (calls.length >= DEPTH_MAX) {
      throw inputError('calls of one task nest too deep', {
        file: this.#file,
        line: line.line,
        text: line.text(),
        expected: `at most ${DEPTH_MAX} open calls`,
      });
    }
    if (parent === undefined && this.#open > 0) this.#counts.overlaps++;
    if (parent === undefined) {
      this.#operations[event]!++;
      this.#open++;
    }
    const call = this.#spare.pop() ?? new OpenCall();
    call.event = event;
    call.line = line.line;
    call.died = '';
    call.shown = 0;
    call.stores = 0;
    call.slots = 0;
    call.lookedUp = -1;
    this.#enter(call, calls, line);
    calls.push(call);
  }

  /** Decides what the call is to the replay, and runs it where it is an operation. */
  #enter(call: OpenCall, calls: readonly OpenCall[], line: TraceLine): void {
    const { event } = call;
    if (event === E.set_foreign_p2m_mapping || event === E.clear_foreign_p2m_mapping) {
      call.mode = Mode.encloses;
      call.slots = this.#argument(line, ArgKey.count);
      return;
    }
    const operation = this.#operationOf[event];
    if (operation === undefined) {
      call.mode = Mode.unused;
      return;
    }
    call.pfn = this.#pfn(line);
    call.value = takesValue(event) ? this.#word(line, ArgKey.mfn) : 0;
    const root = calls.findLast((open) => open.mode === Mode.ran);
    if (root !== undefined && calls.at(-1)!.mode !== Mode.encloses && this.#isPart(root, call, line)) return;
    this.#run(call, operation, line);
    const grant = calls.findLast((open) => open.mode === Mode.encloses);
    if (grant !== undefined) this.#countGrantStore(grant, call);
  }

  /** Whether the model made this call inside the operation that it ran; then the line must show the same arguments. */
  #isPart(root: OpenCall, call: OpenCall, line: TraceLine): boolean {
    for (let i = root.shown; i < root.inner.length; i++) {
      const inner = root.inner[i]!;
      if (inner.event !== sameAs(call.event)) continue;
      root.shown = i + 1;
      call.mode = Mode.part;
      call.ret = inner.ret;
      if (inner.pfn !== call.pfn) this.#diverge(line, call, 'pfn', hex(inner.pfn), hex(call.pfn));
      if (takesValue(call.event) && inner.value !== call.value) {
        this.#diverge(line, call, 'mfn', this.#hexWord(inner.value), this.#hexWord(call.value));
      }
      return true;
    }
    // An interrupt may look up inside any call; nothing else may update inside this one.
    if (call.event === E.get_phys_to_machine) return false;
    this.#diverge(line, call, 'call', `none inside ${this.#nameOf(root.event)}`, 'this call');
    return false;
  }

  #run(call: OpenCall, { name, machine }: Run, line: TraceLine): void {
    call.mode = Mode.ran;
    const outcome = this.#domain.run(name, machine, call.pfn, call.value, 0, line.cpu, line.line);
    this.#domain.flush();
    call.inner = this.#inner.take();
    if (outcome.kind === 'bug') call.died = `BUG ${outcome.bug}`;
    else if (outcome.kind === 'fault') call.died = `a ${outcome.access} fault`;
    else call.ret = outcome.kind === 'errno' ? (outcome.value === 0 ? 1 : 0) : outcome.value;
  }

  /** What the enclosing grant operation expects: a FOREIGN store of the pfn just found INVALID, or INVALID over FOREIGN. */
  #countGrantStore(grant: OpenCall, call: OpenCall): void {
    const { codec } = this.#domain.memory;
    if (call.event === E.get_phys_to_machine) {
      grant.lookedUp = call.ret === INVALID ? call.pfn : -1;
      return;
    }
    if (call.event === E.xen_alloc_p2m_entry || call.died !== '' || call.ret === 0) return;
    if (grant.event === E.set_foreign_p2m_mapping) {
      if (codec.isForeign(call.value) && grant.lookedUp === call.pfn) grant.stores++;
    } else if (call.value === INVALID && codec.isForeign(this.#overwritten)) grant.stores++;
    grant.lookedUp = -1;
  }

  #onReturn(line: TraceLine): void {
    const event = entryOf(line.event);
    this.#returnSeen[event] = 1;
    const calls = this.#callsOf(line);
    while (calls.length > 0 && calls.at(-1)!.event !== event) {
      // A call without a return probe ends, at the latest, with the call around it.
      if (!calls.some((open) => open.event === event)) break;
      this.#unreturned[calls.at(-1)!.event]!++;
      this.#close(calls);
    }
    const call = calls.at(-1);
    if (call === undefined || call.event !== event) {
      this.#counts.lost.returns++;
      if (this.#lossLine === 0) this.#lossLine = line.line;
      return;
    }
    if (call.mode === Mode.encloses) this.#checkGrant(call, line);
    else if (call.mode !== Mode.unused) this.#checkReturn(call, line);
    this.#close(calls);
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

  #close(calls: OpenCall[]): void {
    const call = calls.pop()!;
    if (calls.length === 0) this.#open--;
    this.#spare.push(call);
  }

  /**
   * A function that has had no return line so far has no return probe, as far as is known: it ends where the next call
   * of its task is none that it makes.
   */
  #closeUnreturned(calls: OpenCall[], event: number): void {
    for (let call = calls.at(-1); call !== undefined; call = calls.at(-1)) {
      if (this.#returnSeen[call.event] !== 0 || call.mode === Mode.encloses) return;
      if (call.inner.slice(call.shown).some((inner) => inner.event === sameAs(event))) return;
      if (call.mode === Mode.part && calls.some((open) => open !== call && open.inner.length > open.shown)) return;
      this.#unreturned[call.event]!++;
      this.#close(calls);
    }
  }

  #callsOf(line: TraceLine): OpenCall[] {
    const task = line.pid === 0 ? -1 - line.cpu : line.pid;
    let calls = this.#tasks.get(task);
    if (calls === undefined) this.#tasks.set(task, (calls = []));
    return calls;
  }

  #argument(line: TraceLine, key: ArgKey): number {
    if (line.has(key)) return line.number(key);
    throw inputError(`${this.#nameOf(line.event)} without ${argName(key)}=`, {
      file: this.#file,
      line: line.line,
      byte: line.byte,
      text: line.text(),
      got: 'no such argument',
      expected: `${argName(key)}=...`,
    });
  }

  #pfn(line: TraceLine): number {
    const pfn = this.#argument(line, ArgKey.pfn);
    if (pfn < PFN_END) return pfn;
    throw inputError('pfn out of range', {
      file: this.#file,
      line: line.line,
      text: line.text(),
      got: line.hex(ArgKey.pfn),
      expected: 'below 2^52',
    });
  }

  #word(line: TraceLine, key: ArgKey): Word {
    this.#argument(line, key);
    return this.#domain.memory.codec.fromRaw(line.hi[key]!, line.lo[key]!);
  }

  #nameOf(event: number): string {
    return this.#names.events.name(event) ?? `event ${event}`;
  }

  #hexWord(word: Word): string {
    return this.#domain.memory.codec.toHex(word);
  }

  #diverge(line: TraceLine, call: OpenCall, what: string, expected: string, actual: string): void {
    const operation = `${this.#nameOf(call.event)}${what === 'return' ? '' : ` ${what}`}`;
    const task = `${this.#names.tasks.name(line.task) ?? '?'}-${line.pid}`;
    const { pfn } = call;
    this.#note({ line: line.line, cpu: line.cpu, task, text: line.text().trim(), operation, pfn, expected, actual });
  }

  #note(found: Found): void {
    const { divergences } = this.#counts;
    this.#counts.divergenceCount++;
    if (this.#firstDivergence === 0) this.#firstDivergence = Math.max(found.line, 1);
    if (divergences.length >= DIVERGENCES_MAX) return;
    divergences.push({ ...found, file: this.#file, seq: this.#counts.events, pfn: hex(found.pfn) });
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

/** An operation of the model. */
interface Run {
  readonly name: OperationName;
  readonly machine: Machine;
}

/** What the model runs for the entry events of probed functions. */
function operationsOf({ machines }: Domain): (Run | undefined)[] {
  const runs: (Run | undefined)[] = [];
  runs[E.__set_phys_to_machine] = { name: '__set_phys_to_machine', machine: machines.setPhysToMachineNoAlloc };
  runs[E.set_phys_to_machine] = { name: 'set_phys_to_machine', machine: machines.setPhysToMachine };
  runs[E.get_phys_to_machine] = { name: 'get_phys_to_machine', machine: machines.getPhysToMachine };
  runs[E.xen_alloc_p2m_entry] = { name: 'xen_alloc_p2m_entry', machine: machines.allocP2m };
  runs[E.alloc_p2m] = { name: 'xen_alloc_p2m_entry', machine: machines.allocP2m };
  return runs;
}

/** alloc_p2m was exported as xen_alloc_p2m_entry in 4.4: one machine, two names. */
function sameAs(event: number): number {
  return event === E.alloc_p2m ? E.xen_alloc_p2m_entry : event;
}

function takesValue(event: number): boolean {
  return event === E.__set_phys_to_machine || event === E.set_phys_to_machine;
}

/** Functions whose return line is compared with the model. */
function isChecked(event: number): boolean {
  return isUsed(event) && event !== E.get_phys_to_machine;
}

/** Functions whose lines the replay uses. */
function isUsed(event: number): boolean {
  switch (event & ~1) {
    case E.__set_phys_to_machine:
    case E.set_phys_to_machine:
    case E.get_phys_to_machine:
    case E.xen_alloc_p2m_entry:
    case E.alloc_p2m:
    case E.set_foreign_p2m_mapping:
    case E.clear_foreign_p2m_mapping:
      return event < PROBES_END;
    default:
      return false;
  }
}

function hex(n: number): string {
  return `0x${n.toString(16)}`;
}

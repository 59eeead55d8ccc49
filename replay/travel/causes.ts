import { Clock, CLOCKS, kindAt, OPERATIONS, type EventOf, type StoredLog } from '../../events/index.js';
import type { Form, Memory } from '../../src/index.js';
import type { EventWords } from '../audit/event_words.js';
import { innerFunctions } from '../audit/inner_function.js';
import type { LogFacts } from '../audit/index/log_facts.js';
import { logClock, timeText, type LogClock } from '../audit/moment.js';
import { LogRows } from './log_rows.js';
import { OpenCalls, type OpenCall } from './open_calls.js';
import { wordsOf } from './watched_value.js';

/** What a log says of an operation; what it does not say is undefined. */
interface Told {
  readonly call: EventOf<'call'> | undefined;
  readonly origin: EventOf<'origin'> | undefined;
  readonly task: EventOf<'task'> | undefined;
}

/** Tells who did what: events, operations and tasks in words. Pages go by what they are at the moment of the memory. */
export class CauseWords {
  readonly calls: OpenCalls;
  readonly #rows: LogRows;
  readonly #facts: LogFacts | undefined;
  readonly #form: Form;
  readonly #words: EventWords;
  #clock: LogClock | undefined;
  /** Events of the log when its clock was looked for: it may have grown. */
  #clockEvents = -1;

  /** @param facts what an index of the log knows of its blocks */
  constructor(log: StoredLog, form: Form, memory: Memory, facts?: LogFacts) {
    this.calls = new OpenCalls(log, facts);
    this.#facts = facts;
    this.#rows = new LogRows(log);
    this.#form = form;
    this.#words = wordsOf(memory);
  }

  /** `4711  cpu0 op 5 set_phys_to_machine: set_entry 0x40500 m:77 -> m:99 in private leaf 12`. */
  line(seq: number): string {
    const { cpu, op, kind } = this.#rows.event(seq);
    if (op === 0) return `${seq}  cpu${cpu}: ${this.#event(seq)}`;
    const { call } = this.#told(this.calls.of(seq));
    // A call's own words name it.
    const name = call === undefined || kind === 'call' ? '' : ` ${call.operation}`;
    return `${seq}  cpu${cpu} op ${op}${name}: ${this.#event(seq)}`;
  }

  /** `event 4711 (set_phys_to_machine by xen-balloon-41)`; the CPU where the log names no task. */
  by(seq: number): string {
    const { call, task } = this.#told(this.calls.of(seq));
    const { cpu, op } = this.#rows.event(seq);
    const what = call?.operation ?? (op === 0 ? 'no operation' : `op ${op}`);
    return `event ${seq} (${what} ${task === undefined ? `on cpu${cpu}` : `by ${taskName(task)}`})`;
  }

  /** `op 5 set_phys_to_machine(0x40002, m:77) on cpu0 by xen-balloon-41`. */
  operation(open: OpenCall): string {
    const { call, task } = this.#told(open);
    const name = call === undefined ? 'about to be called' : this.#call(call);
    return `op ${open.op} ${name} on cpu${open.cpu}${task === undefined ? '' : ` by ${taskName(task)}`}`;
  }

  /** The chain of causes of event `seq`, a line each, from the event outwards. */
  chain(seq: number): string[] {
    const { call, origin, task } = this.#told(this.calls.of(seq));
    const { cpu, op } = this.#rows.event(seq);
    const frames = [`event ${seq}: ${this.#event(seq)}`];
    if (call === undefined) frames.push(op === 0 ? 'of no operation' : `in op ${op}, whose call the log lacks`);
    else
      frames.push(
        ...this.#inner(seq, call),
        `in ${this.#call(call)}, op ${op}, called by event ${call.seq}${lineOf(call.origin)}`,
      );
    if (origin !== undefined && origin.around !== 'none') frames.push(`in ${origin.around}()${lineOf(origin.line)}`);
    const who = task === undefined ? 'a task that the log does not name' : `task ${task.comm}, pid ${task.pid}`;
    frames.push(`${who}, on cpu${cpu}${this.#at(origin)}`);
    return frames.map((text, i) => `#${i}  ${text}`);
  }

  /** When the operation of event `seq` began: `87.520279 (0.012000s from the start)`; undefined where the log does not say. */
  time(seq: number): string | undefined {
    const { origin } = this.#told(this.calls.of(seq));
    if (origin === undefined || origin.clock === 'none') return undefined;
    const clock = CLOCKS.indexOf(origin.clock);
    const text = timeText(clock, origin.time);
    const first = this.#firstTime();
    if (clock !== Clock.ns || first?.clock !== clock) return text;
    const elapsed = origin.time - first.first;
    return `${text} (${elapsed < 0 ? '-' : ''}${timeText(clock, Math.abs(elapsed))}s from the start)`;
  }

  #event(seq: number): string {
    const row = this.#rows.to(seq);
    const { batch } = this.#rows;
    const kind = kindAt(batch, row);
    const words = this.#words.of(batch, row);
    return words === '' ? kind : `${kind} ${words}`;
  }

  #call({ operation, pfn, value }: EventOf<'call'>): string {
    const { codec } = this.#rows.log;
    return `${operation}(0x${pfn.toString(16)}, ${value === 'fault' ? value : codec.format(codec.fromHex(value))})`;
  }

  #inner(seq: number, { operation }: EventOf<'call'>): string[] {
    const row = this.#rows.to(seq);
    return innerFunctions(this.#rows.batch, row, OPERATIONS.indexOf(operation), this.#form).map(
      (name) => `in ${name}()`,
    );
  }

  #at(origin: EventOf<'origin'> | undefined): string {
    if (origin === undefined || origin.clock === 'none') return '';
    return `, at ${timeText(CLOCKS.indexOf(origin.clock), origin.time)}`;
  }

  #firstTime(): LogClock | undefined {
    const { log } = this.#rows;
    if (this.#clockEvents !== log.events) this.#clock ??= logClock(log, this.#facts);
    this.#clockEvents = log.events;
    return this.#clock;
  }

  #told(open: OpenCall | undefined): Told {
    const event = (seq: number | undefined) => (seq === undefined ? undefined : this.#rows.event(seq));
    return {
      call: event(open?.call) as EventOf<'call'> | undefined,
      origin: event(open?.origin) as EventOf<'origin'> | undefined,
      task: event(open?.task) as EventOf<'task'> | undefined,
    };
  }
}

function taskName({ comm, pid }: EventOf<'task'>): string {
  return `${comm}-${pid}`;
}

function lineOf(line: number): string {
  return line === 0 ? '' : `, line ${line} of the input`;
}

import {
  EventBatch,
  payloadColumn,
  viewEvent,
  type EntryCodec,
  type OperationName,
  type P2mEvent,
} from '../events/index.js';
import { Domain, type Cpu, type DomainOptions, type Machine, type Outcome } from '../src/index.js';

/** What a command of the session gives: one line for people, fields for --json, and lines that follow. */
export interface Reply {
  readonly result?: unknown;
  /** Text after `->`; by default the result. */
  readonly text?: string;
  readonly lines?: readonly string[];
  /** A kernel assertion or a fault was hit. */
  readonly violated?: boolean;
}

/** Events that a session keeps, at least the last of them: 4 Mi take 110 MB. */
const EVENTS_KEPT = 2 ** 22;

/** A domain under somebody's hands: runs operations on CPU 0, keeps all events, shows steps and events when asked. */
export class Session {
  readonly domain: Domain;
  readonly log = new EventBatch();
  showSteps: boolean;
  showEvents: boolean;
  /** Events before those in the log, which are not kept any more. */
  #forgotten = 0;
  /** Steps and events of the operation in hand, as lines. */
  #shown: string[] = [];

  constructor(options: DomainOptions, showSteps: boolean, showEvents: boolean) {
    this.domain = new Domain({ ...options, onEvents: (batch) => this.#keep(batch) });
    this.showSteps = showSteps;
    this.showEvents = showEvents;
  }

  /** All events so far, kept or not. */
  get eventCount(): number {
    return this.#forgotten + this.log.length;
  }

  get codec(): EntryCodec {
    return this.domain.memory.codec;
  }

  /** Keeps the events that the domain hands on. */
  #keep(batch: EventBatch): void {
    if (this.log.length > EVENTS_KEPT) {
      this.#forgotten += this.log.length;
      this.log.clear();
    }
    for (let i = 0; i < batch.length; i++) this.log.copyRow(batch, i, payloadColumn(batch.kind[i]!));
  }

  /** Runs an operation to its end, a row at a time where steps are to be seen. */
  run(operation: OperationName, machine: Machine, pfn: number, value = 0, count = 0): Outcome {
    const cpu = this.domain.cpus[0]!;
    this.domain.begin(operation, machine, pfn, value, count);
    if (!this.showSteps && !this.showEvents) cpu.run();
    else while (cpu.state === 'running') this.#step(cpu);
    const outcome = this.domain.end(operation);
    this.domain.flush();
    return outcome;
  }

  /** The lines of steps and events since the last time. */
  takeShown(): readonly string[] {
    return this.#shown.splice(0);
  }

  #step(cpu: Cpu): void {
    const { batch } = this.domain;
    const { machine } = cpu.top;
    const { label, does } = cpu.row;
    const before = batch.length;
    cpu.step();
    if (this.showSteps) this.#shown.push(`  cpu0  ${machine.name}  ${label}  ${does}`);
    if (!this.showEvents) return;
    for (let i = before; i < batch.length; i++) {
      const event = viewEvent(batch, i, this.codec, this.eventCount + i);
      this.#shown.push(`    ${formatEvent(event)}`);
    }
  }

  /** Events [from, to) of the log as lines. */
  events(from: number): string[] {
    const lines: string[] = [];
    for (let i = from; i < this.log.length; i++)
      lines.push(formatEvent(viewEvent(this.log, i, this.codec, this.#forgotten + i)));
    return lines;
  }

  /** A reply of an operation whose value is shown by `show`. */
  reply(outcome: Outcome, show: (value: number) => unknown): Reply {
    if (outcome.kind === 'bug') return { result: { bug: outcome.bug }, text: `BUG ${outcome.bug}`, violated: true };
    if (outcome.kind === 'fault')
      return { result: { fault: outcome.access }, text: `FAULT ${outcome.access}`, violated: true };
    const result = outcome.kind === 'void' ? 'done' : show(outcome.value);
    return { result };
  }
}

/** `#12 cpu0 op3 set_entry pfn=1026 page=7 old=0x.. new=0x..`. */
function formatEvent(event: P2mEvent): string {
  const { seq, cpu, op, kind, ...fields } = event;
  const texts = Object.entries(fields).map(
    ([name, value]) => `${name}=${typeof value === 'object' ? JSON.stringify(value) : String(value)}`,
  );
  return [`#${seq} cpu${cpu} op${op} ${kind}`, ...texts].join(' ');
}

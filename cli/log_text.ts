import {
  Clock,
  CLOCKS,
  kindAt,
  KINDS,
  Operation,
  OPERATIONS,
  viewEvent,
  type EntryCodec,
  type EventBatch,
} from '../events/index.js';
import { EventWords, operationName, taskText, timeText, type LoggedOperation } from '../replay/index.js';
import { colors } from './colors.js';

/** Tells events one after the other, in their order. */
export interface EventText {
  /** Lines for event `i`, event `seq` of the log. */
  of(batch: EventBatch, i: number, seq: number, operation: LoggedOperation | undefined): readonly string[];
}

type RoleOf = (page: number) => number;

const CALL = KINDS.call.id;
const ORIGIN = KINDS.origin.id;

/** Events under their operations: as soon as an event is of another operation, a new heading says which. */
export class LogLines implements EventText {
  readonly #words: EventWords;
  #op = -1;

  constructor(codec: EntryCodec, roleOf: RoleOf) {
    this.#words = new EventWords(codec, roleOf);
  }

  of(batch: EventBatch, i: number, seq: number, operation: LoggedOperation | undefined): string[] {
    const op = batch.op[i]!;
    const kind = batch.kind[i]!;
    const lines: string[] = [];
    // An origin is part of the heading that the call behind it gets.
    if (kind === ORIGIN) return lines;
    if (op !== this.#op) lines.push(...this.#heading(batch.cpu[i]!, op, operation, this.#op >= 0));
    this.#op = op;
    if (kind !== CALL)
      lines.push(`  ${String(seq).padStart(8)}  ${kindAt(batch, i).padEnd(14)} ${this.#words.of(batch, i)}`);
    return lines;
  }

  #heading(cpu: number, op: number, operation: LoggedOperation | undefined, isSpaced: boolean): string[] {
    const lines = isSpaced ? [''] : [];
    if (op === 0) return [...lines, colors.yellow('no operation')];
    const call = operation?.call;
    const words = call === undefined ? 'unknown: the log has no call of it' : callWords(this.#words, operation!);
    lines.push(colors.yellow(`op ${op} ${words}`));
    lines.push(`  ${factsOf(operation, cpu).join(', ')}`);
    return lines;
  }
}

/** `set_phys_to_machine(0x402, m:77)`; the operation has a call. */
export function callWords(words: EventWords, { call }: LoggedOperation): string {
  return words.call(call!.operation, call!.pfn, call!.value);
}

/** Number of the call, task, CPU, time, line, function around: as far as the log says. */
export function factsOf(operation: LoggedOperation | undefined, cpu: number): string[] {
  const facts = operation?.call === undefined ? [] : [`event ${operation.call.seq}`];
  facts.push(`${operation?.task === undefined ? '' : `${taskText(operation.task)} on `}CPU ${cpu}`);
  const origin = operation?.origin;
  if (origin !== undefined && origin.clock !== Clock.none) facts.push(`@${timeText(origin.clock, origin.time)}`);
  const line = operation?.call?.line ?? 0;
  if (line !== 0) facts.push(`line ${line}`);
  if (origin !== undefined && origin.around !== Operation.none) {
    facts.push(`inside ${OPERATIONS[origin.around]!}${origin.line === 0 ? '' : ` of line ${origin.line}`}`);
  }
  return facts;
}

/** A line an event, in columns; a blank in a task's name is `\x20`. */
export class OneLines implements EventText {
  readonly #words: EventWords;

  constructor(codec: EntryCodec, roleOf: RoleOf) {
    this.#words = new EventWords(codec, roleOf);
  }

  of(batch: EventBatch, i: number, seq: number, operation: LoggedOperation | undefined): string[] {
    const origin = operation?.origin;
    const isTimed = origin !== undefined && origin.clock !== Clock.none;
    const task = operation?.task;
    const columns = [
      String(seq).padStart(8),
      (isTimed ? timeText(origin.clock, origin.time) : '-').padStart(13),
      String(batch.cpu[i]).padStart(3),
      (task === undefined ? '-' : taskText(task).replaceAll(' ', '\\x20')).padEnd(16),
      String(batch.op[i]).padStart(7),
      (operation?.call === undefined ? '-' : operationName(operation)).padEnd(21),
      kindAt(batch, i).padEnd(14),
      this.#words.of(batch, i),
    ];
    return [columns.join(' ').trimEnd()];
  }
}

/** An object an event: the event as in docs/events.md, and what is known of its operation. */
export class JsonLines implements EventText {
  readonly #codec: EntryCodec;

  constructor(codec: EntryCodec) {
    this.#codec = codec;
  }

  of(batch: EventBatch, i: number, seq: number, operation: LoggedOperation | undefined): string[] {
    const event = viewEvent(batch, i, this.#codec, seq);
    return [JSON.stringify({ event, operation: operationJson(operation, this.#codec) })];
  }
}

/** What is known of an operation; null where there is none. */
export function operationJson(operation: LoggedOperation | undefined, codec: EntryCodec): object | null {
  if (operation === undefined) return null;
  const { op, task, call, origin } = operation;
  const isTimed = origin !== undefined && origin.clock !== Clock.none;
  return {
    op,
    ...(call === undefined
      ? {}
      : {
          name: OPERATIONS[call.operation],
          call: call.seq,
          pfn: call.pfn,
          value: codec.toHex(call.value),
          line: call.line,
        }),
    ...(task === undefined ? {} : { task }),
    ...(isTimed ? { clock: CLOCKS[origin.clock], time: origin.time } : {}),
    ...(origin === undefined || origin.around === Operation.none
      ? {}
      : { around: OPERATIONS[origin.around], aroundLine: origin.line }),
  };
}

import { inputError, type EntryCodec, type P2mError, type Word } from '../../events/index.js';
import { argName, ArgKey, type TraceLine, type TraceNames } from '../trace/trace_line.js';
import type { CallBehalfs } from './call_behalf.js';

const PFN_END = 2 ** 52;
/** Largest order of a contiguous region that is believed. */
const ORDER_MAX = 20;

/** A log by its name, and the names in it. */
export interface TraceLog {
  readonly file: string;
  readonly names: TraceNames;
  /** Says whose its calls are, where somebody keeps the events. */
  readonly behalfs?: CallBehalfs | undefined;
}

/** Reads the arguments that a line must have. Every method throws a P2mError where one is missing or out of range. */
export class LineArguments {
  readonly #log: TraceLog;
  readonly #codec: EntryCodec;

  constructor(log: TraceLog, codec: EntryCodec) {
    this.#log = log;
    this.#codec = codec;
  }

  number(line: TraceLine, key: ArgKey): number {
    if (line.has(key)) return line.number(key);
    const name = argName(key);
    throw this.bad(`${this.nameOf(line.event)} without ${name}=`, line, 'no such argument', `${name}=...`);
  }

  /** A pfn, below 2^52. */
  pfn(line: TraceLine): number {
    const pfn = this.number(line, ArgKey.pfn);
    if (pfn < PFN_END) return pfn;
    throw this.bad('pfn out of range', line, line.hex(ArgKey.pfn), 'below 2^52');
  }

  /** The end of a range of pfns, which may be all ones. */
  pfnEnd(line: TraceLine, key: ArgKey): number {
    return Math.min(this.number(line, key), PFN_END);
  }

  /** An entry of the list. */
  word(line: TraceLine, key: ArgKey): Word {
    if (!line.has(key)) this.number(line, key);
    return this.#codec.fromRaw(line.hi[key]!, line.lo[key]!);
  }

  /** Pages of a region of `order`. */
  pagesOfOrder(line: TraceLine): number {
    const order = this.number(line, ArgKey.order);
    if (order <= ORDER_MAX) return 2 ** order;
    throw this.bad('order out of range', line, String(order), `at most ${ORDER_MAX}`);
  }

  /** What to throw of a line that cannot be. */
  bad(what: string, line: TraceLine, got: string, expected: string): P2mError {
    return inputError(what, { file: this.#log.file, line: line.line, text: line.text(), got, expected });
  }

  nameOf(event: number): string {
    return this.#log.names.events.name(event) ?? `event ${event}`;
  }

  /** Task and pid, as a log prints them. */
  taskOf(line: TraceLine): string {
    return `${this.#log.names.tasks.name(line.task) ?? '?'}-${line.pid}`;
  }
}

import type { ByteSink } from '../../events/index.js';
import { TextSink } from './text_sink.js';

/** The one process of a trace: the domain. */
const PID = 1;

/** A point of a track. */
export interface TracePoint {
  readonly tid: number;
  readonly ns: number;
}

/**
 * The JSON Trace Event Format as text, an event a line. Times come in whole nanoseconds and stand as microseconds, as the
 * format wants them, with three digits behind the point: exact.
 */
export class TraceText {
  readonly #text: TextSink;
  #events = 0;
  #tracks = 0;
  #flows = 0;

  constructor(sink: ByteSink, domain: string) {
    this.#text = new TextSink(sink);
    this.#text.write('{"displayTimeUnit":"ns","traceEvents":[');
    this.#event(`"ph":"M","name":"process_name","pid":${PID},"tid":0,"args":${JSON.stringify({ name: domain })}`);
  }

  /** A new track; those of a lower `order` stand above. Gives its tid. */
  track(name: string, order: number): number {
    const tid = ++this.#tracks;
    const head = `"ph":"M","pid":${PID},"tid":${tid}`;
    this.#event(`${head},"name":"thread_name","args":${JSON.stringify({ name })}`);
    this.#event(`${head},"name":"thread_sort_index","args":{"sort_index":${order}}`);
    return tid;
  }

  /** Something that lasts, from `beginNs` to `endNs`. */
  slice(name: string, category: string, tid: number, beginNs: number, endNs: number, args: object): void {
    const head = this.#head('X', name, category, tid, beginNs);
    this.#event(`${head},"dur":${microseconds(endNs - beginNs)},"args":${JSON.stringify(args)}`);
  }

  /** Something that lasts and whose end is not known yet: `close` ends it. */
  open(name: string, category: string, tid: number, ns: number, args: object): void {
    this.#event(`${this.#head('B', name, category, tid, ns)},"args":${JSON.stringify(args)}`);
  }

  /** Ends what was opened last on the track. */
  close(tid: number, ns: number): void {
    this.#event(`"ph":"E","pid":${PID},"tid":${tid},"ts":${microseconds(ns)}`);
  }

  /** A moment on a track. */
  instant(name: string, category: string, tid: number, ns: number, args: object): void {
    this.#event(`${this.#head('i', name, category, tid, ns)},"s":"t","args":${JSON.stringify(args)}`);
  }

  /** An arrow from the slice at one point to that at the other. */
  flow(from: TracePoint, to: TracePoint): void {
    const id = ++this.#flows;
    this.#event(`${this.#head('s', 'replaced', 'stale-look-up', from.tid, from.ns)},"id":${id}`);
    this.#event(`${this.#head('f', 'replaced', 'stale-look-up', to.tid, to.ns)},"id":${id},"bp":"e"`);
  }

  /** Ends the text. Gives how many events it has. */
  end(about: object): number {
    this.#text.write(`\n],"otherData":${JSON.stringify(about)}}\n`);
    this.#text.flush();
    return this.#events;
  }

  #head(phase: string, name: string, category: string, tid: number, ns: number): string {
    return `"ph":"${phase}","name":${JSON.stringify(name)},"cat":"${category}","pid":${PID},"tid":${tid},"ts":${microseconds(ns)}`;
  }

  #event(body: string): void {
    this.#text.write(`${this.#events === 0 ? '' : ','}\n{${body}}`);
    this.#events++;
  }
}

/** Whole nanoseconds as microseconds: `12.345`. Digits, for a division would round. */
function microseconds(ns: number): string {
  const rest = ns % 1000;
  return rest === 0 ? String(ns / 1000) : `${(ns - rest) / 1000}.${String(rest).padStart(3, '0')}`;
}

import { usageError, type EventBatch } from '../../events/index.js';
import { Breakpoint, Watch, type Hit, type Stop } from './stop.js';
import type { WatchedValue } from './watched_value.js';

/** The watches and breakpoints of a journey, numbered together from 1 on, as gdb numbers them. */
export class Stops {
  #stops: Stop[] = [];
  #last = 0;
  /** By kind of event: whether it concerns any of them. */
  #kinds = new Uint8Array(256);
  /** Of each watch, its value as of the last `look` or `hits`. */
  readonly #values = new Map<Watch, number>();

  get all(): readonly Stop[] {
    return this.#stops;
  }

  addWatch(value: WatchedValue): Watch {
    const watch = new Watch(++this.#last, value);
    this.#add(watch);
    return watch;
  }

  /** @throws {P2mError} as `Breakpoint` */
  addBreak(name: string): Breakpoint {
    const breakpoint = new Breakpoint(this.#last + 1, name);
    this.#last++;
    this.#add(breakpoint);
    return breakpoint;
  }

  /** @throws {P2mError} code `usage`: there is none of that number */
  delete(id: number): void {
    if (!this.#stops.some((stop) => stop.id === id)) {
      throw usageError('no such watch or breakpoint', {
        got: String(id),
        expected: 'a number that `info watch` lists',
      });
    }
    this.#stops = this.#stops.filter((stop) => stop.id !== id);
    this.#index();
  }

  deleteAll(): void {
    this.#stops = [];
    this.#index();
  }

  /** Reads all watched values anew: the memory is at another moment, and nobody is to be told of that. */
  look(): void {
    this.#values.clear();
    for (const stop of this.#stops) if (stop.kind === 'watch') this.#values.set(stop, stop.value.read());
  }

  /** The first row of [from, to) that one of them may stop at; `to` where none may. */
  firstIn(batch: EventBatch, from: number, to: number): number {
    const kinds = this.#kinds;
    const { kind } = batch;
    for (let i = from; i < to; i++) if (kinds[kind[i]!] === 1 && this.#mayStop(batch, i)) return i;
    return to;
  }

  /** The last row of [from, to) that one of them may stop at; -1 where none may. */
  lastIn(batch: EventBatch, from: number, to: number): number {
    const kinds = this.#kinds;
    const { kind } = batch;
    for (let i = to - 1; i >= from; i--) if (kinds[kind[i]!] === 1 && this.#mayStop(batch, i)) return i;
    return -1;
  }

  /** What the event, which has just happened or was just taken back, has hit. The memory is there; row `i` is event `seq`. */
  hits(batch: EventBatch, i: number, seq: number): Hit[] {
    const hits: Hit[] = [];
    for (const stop of this.#stops) {
      if (stop.kind === 'watch') {
        const from = this.#values.get(stop)!;
        const to = stop.value.read();
        this.#values.set(stop, to);
        if (from !== to) hits.push({ stop, seq, change: { from, to } });
      } else if (stop.isAt(batch, i)) hits.push({ stop, seq });
    }
    for (const { stop } of hits) stop.hits++;
    return hits;
  }

  #mayStop(batch: EventBatch, i: number): boolean {
    for (const stop of this.#stops) {
      if (
        stop.kind === 'break'
          ? stop.isAt(batch, i)
          : stop.value.kinds[batch.kind[i]!] === 1 && stop.value.mayChange(batch, i)
      ) {
        return true;
      }
    }
    return false;
  }

  #add(stop: Stop): void {
    this.#stops.push(stop);
    this.#index();
  }

  #index(): void {
    this.#kinds = Uint8Array.from({ length: 256 }, (_, id) =>
      this.#stops.some((stop) => (stop.kind === 'watch' ? stop.value.kinds[id] === 1 : stop.concerns(id))) ? 1 : 0,
    );
    this.look();
  }
}

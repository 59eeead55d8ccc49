import { assert, EntryCodec, EventBatch, INVALID, KINDS, mfnWord, type EventsHeader } from '../../events/index.js';
import { headerOf, lookUp, type Domain } from '../../src/index.js';
import { payloadColumn } from '../../events/view.js';
import { bootedDomain } from './domains.js';

/** Pfns that events are about. */
export const PFNS = 2 ** 20;
/** Most events in a batch: what an `fdatasync` stands behind, and what a chunk of DuckDB holds. */
export const BATCH = 2048;
const PER_PAGE = 512;
const EVENTS_A_SET = 3;

/**
 * A history of a given length, the same each time: boot, then `set_phys_to_machine` of pfns without order, as `call`,
 * `set_entry` and `return`. It is made while it is read: no more than a batch is in memory.
 */
export class LogHistory {
  readonly events: number;
  readonly header: EventsHeader;
  readonly codec = new EntryCodec(64);
  /** Events before the first that is set without order. */
  readonly beginning: number;
  readonly #begin: EventBatch;
  /** Page of the leaf of each 512 pfns. */
  readonly #pages = new Int32Array(PFNS / PER_PAGE);
  readonly #words = new Int32Array(PFNS);

  constructor(events: number) {
    this.events = events;
    const begin = new EventBatch();
    const domain = bootedDomain({
      nrPages: PFNS,
      codec: this.codec,
      onEvents: (batch) => {
        for (let i = 0; i < batch.length; i++) begin.copyRow(batch, i, payloadColumn(batch.kind[i]!));
      },
    });
    for (let pfn = 0; pfn < PFNS; pfn += PER_PAGE) this.#touch(domain, pfn, begin);
    for (let pfn = 0; pfn < PFNS; pfn++) this.#words[pfn] = lookUp(domain.memory, pfn);
    this.#begin = begin;
    this.beginning = begin.length;
    this.header = headerOf(domain);
    assert(events > begin.length, `a history has more than the ${begin.length} events of its beginning`);
  }

  /** The events, in order. A batch is valid until the next one is asked for. */
  *batches(): Generator<EventBatch, void, undefined> {
    const batch = new EventBatch(BATCH);
    let left = this.events;
    for (let at = 0; at < this.beginning; at += BATCH) {
      batch.clear();
      const end = Math.min(at + BATCH, this.beginning);
      for (let i = at; i < end; i++) batch.copyRow(this.#begin, i, payloadColumn(this.#begin.kind[i]!));
      left -= batch.length;
      yield batch;
    }
    yield* this.#sets(batch, left);
  }

  *#sets(batch: EventBatch, count: number): Generator<EventBatch, void, undefined> {
    const words = this.#words.slice();
    const begin = this.#begin;
    const call = begin.length - EVENTS_A_SET;
    const operation = begin.a[call]!;
    const result = begin.b[call + 2]!;
    const value = begin.c[call + 2]!;
    let op = begin.op[call]!;
    let random = 0x2545f491;
    let left = count;
    let row = EVENTS_A_SET;
    let pfn = 0;
    let word = 0;
    while (left > 0) {
      batch.clear();
      const size = Math.min(BATCH, left);
      while (batch.length < size) {
        if (row === EVENTS_A_SET) {
          random ^= random << 13;
          random ^= random >>> 17;
          random ^= random << 5;
          pfn = (random >>> 8) % PFNS;
          word = words[pfn] === INVALID ? mfnWord(random >>> 6) : INVALID;
          op++;
          row = 0;
        }
        if (row === 0) batch.push(KINDS.call.id, 0, op, operation, pfn, 0, word);
        else if (row === 1) {
          batch.push(KINDS.set_entry.id, 0, op, pfn, this.#pages[pfn >>> 9], words[pfn], word);
          words[pfn] = word;
        } else batch.push(KINDS.return.id, 0, op, operation, result, value);
        row++;
      }
      left -= size;
      yield batch;
    }
  }

  /** Stores to the leaf of `pfn` what the log then tells of its page; a set has the three events that are repeated. */
  #touch(domain: Domain, pfn: number, log: EventBatch): void {
    domain.run('set_phys_to_machine', domain.machines.setPhysToMachine, pfn, INVALID);
    domain.flush();
    const at = log.length - EVENTS_A_SET;
    const kinds = [KINDS.call.id, KINDS.set_entry.id, KINDS.return.id];
    assert(
      kinds.every((kind, i) => log.kind[at + i] === kind),
      `a set of pfn ${pfn} is call, set_entry, return`,
    );
    this.#pages[pfn / PER_PAGE] = log.b[at + 1]!;
  }
}

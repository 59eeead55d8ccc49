import {
  inputError,
  KINDS,
  OPERATIONS,
  type EntryCodec,
  type EventBatch,
  type EventsHeader,
  type KindName,
  type OperationName,
  type Place,
} from '../../events/index.js';
import type { Form, Memory } from '../../src/index.js';
import { GuardedMemory, type MemoryKind } from './guarded_memory.js';
import { stateDigest, type StateDigest } from './state_digest.js';

const CALL = KINDS.call.id;

/**
 * Plays the events of a log into an empty memory of the capacity that its header names, one by one, and counts them.
 *
 * Where an event leads out of the memory, or says that it overwrites what memory does not hold, the log is damaged or not
 * whole: bad input. What was played before stands in `memory` and in the counts.
 */
export class EventPlayer {
  readonly header: EventsHeader;
  readonly form: Form;
  readonly memory: Memory;
  readonly #file: string;
  readonly #guarded: GuardedMemory;
  readonly #kinds = new Float64Array(256);
  readonly #operations = new Float64Array(OPERATIONS.length);
  #events = 0;

  /** As `GuardedMemory`. */
  constructor(header: EventsHeader, codec: EntryCodec, file: string, kind?: MemoryKind) {
    this.header = header;
    this.#file = file;
    this.#guarded = new GuardedMemory(header, codec, file, kind);
    this.form = this.#guarded.form;
    this.memory = this.#guarded.memory;
  }

  /** Events played. */
  get events(): number {
    return this.#events;
  }

  /** Events played of each kind, where there are any, in the order of the table of kinds. */
  get kinds(): Readonly<Partial<Record<KindName, number>>> {
    const names = Object.keys(KINDS) as KindName[];
    return counted(names, (name) => this.#kinds[KINDS[name].id]!);
  }

  /** `call` records of each operation, where there are any. */
  get operations(): Readonly<Partial<Record<OperationName, number>>> {
    return counted(OPERATIONS, (_, index) => this.#operations[index]!);
  }

  /**
   * Plays all rows of the batch; row 0 is event `seq` of the log. `placeOf` says where a row stands, for a complaint.
   * @throws {P2mError} with file, place and number of the event (exit code 3): the log begins later or lacks events; the
   *   event does not fit the memory; the flat memory cannot show it (code `capacity`)
   */
  play(batch: EventBatch, seq: number, placeOf: (row: number) => Place = () => ({ file: this.#file })): void {
    if (seq !== this.#events) {
      const what = this.#events === 0 ? 'the log does not begin with its first event' : 'an event is missing';
      throw inputError(what, { ...placeOf(0), got: `event ${seq}`, expected: `event ${this.#events}` });
    }
    try {
      this.#guarded.apply(batch, 0, batch.length, seq, placeOf);
    } catch (error) {
      this.#count(batch, this.#guarded.row);
      throw error;
    }
    this.#count(batch, batch.length);
  }

  /** Digests of the memory as it stands: two replays that agree in them ended in the same state. */
  digest(): StateDigest {
    return stateDigest(this.memory);
  }

  #count(batch: EventBatch, rows: number): void {
    const kinds = this.#kinds;
    for (let i = 0; i < rows; i++) {
      const kind = batch.kind[i]!;
      kinds[kind]!++;
      if (kind === CALL) this.#operations[batch.a[i]!]!++;
    }
    this.#events += rows;
  }
}

function counted<K extends string>(
  names: readonly K[],
  countOf: (name: K, index: number) => number,
): Partial<Record<K, number>> {
  const counts: Partial<Record<K, number>> = {};
  names.forEach((name, index) => {
    const count = countOf(name, index);
    if (count > 0) counts[name] = count;
  });
  return counts;
}

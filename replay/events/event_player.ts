import {
  AssertionError,
  inputError,
  KINDS,
  kindName,
  OPERATIONS,
  P2mError,
  viewEvent,
  type EntryCodec,
  type EventBatch,
  type EventsHeader,
  type KindName,
  type OperationName,
  type Place,
} from '../../events/index.js';
import {
  apply,
  checkGeometry,
  FlatMemory,
  formByKernel,
  geometryByName,
  PagedMemory,
  type Form,
  type Memory,
} from '../../src/index.js';
import { EventGuard } from './event_guard.js';
import { stateDigest, type StateDigest } from './state_digest.js';

/** Which memory the events are played into. The flat one cannot show a leaf that is mapped twice (memory/flat.ts). */
export type MemoryKind = 'paged' | 'flat';

const CALL = KINDS.call.id;
/** By id: kinds that `apply` has something to do for. */
const MUTATES = Uint8Array.from({ length: 256 }, (_, id) => {
  const name = kindName(id);
  return name !== undefined && KINDS[name].mutates ? 1 : 0;
});

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
  readonly #guard: EventGuard;
  readonly #kinds = new Float64Array(256);
  readonly #operations = new Float64Array(OPERATIONS.length);
  #events = 0;
  #row = 0;

  /**
   * @param codec the one that the words of the events belong to; `memory` uses it too
   * @throws {P2mError} with exit code 3 where no memory can be built by the header
   */
  constructor(header: EventsHeader, codec: EntryCodec, file: string, kind: MemoryKind = 'paged') {
    this.header = header;
    this.#file = file;
    this.form = fromHeader(file, () => formByKernel(header.kernel));
    this.memory = fromHeader(file, () => buildMemory(header, this.form, codec, kind));
    this.#guard = new EventGuard(this.memory, this.form.structure === 'tree', refuse);
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
    this.#row = 0;
    try {
      this.#playRows(batch);
    } catch (error) {
      this.#events += this.#row;
      throw this.#misfit(error, batch, seq, placeOf(this.#row));
    }
    this.#events += batch.length;
  }

  /** Digests of the memory as it stands: two replays that agree in them ended in the same state. */
  digest(): StateDigest {
    return stateDigest(this.memory);
  }

  #playRows(batch: EventBatch): void {
    const { memory } = this;
    const guard = this.#guard;
    const kinds = this.#kinds;
    const operations = this.#operations;
    for (let i = 0; i < batch.length; i++) {
      this.#row = i;
      const kind = batch.kind[i]!;
      guard.check(batch, i);
      if (MUTATES[kind] === 1) apply(memory, batch, i);
      kinds[kind]!++;
      if (kind === CALL) operations[batch.a[i]!]!++;
    }
  }

  #misfit(error: unknown, batch: EventBatch, seq: number, place: Place): unknown {
    const i = this.#row;
    const name = `event ${seq + i} (${kindName(batch.kind[i]!) ?? 'unknown'})`;
    if (error instanceof Refusal) {
      const { got, expected } = error;
      return inputError(`${name} leads out of the memory: ${error.message}`, { ...place, got, expected });
    }
    if (error instanceof AssertionError) {
      return inputError(`${name} does not fit what the events before it made`, {
        ...place,
        got: JSON.stringify(viewEvent(batch, i, this.memory.codec, seq + i)),
        expected: this.#found(batch, i) ?? error.message.replace(/^event .* does not fit the memory: /, ''),
      });
    }
    if (error instanceof P2mError) {
      const { got, expected, hint } = error.complaint;
      const facts = { ...(got && { got }), ...(expected && { expected }), ...(hint && { hint }) };
      return new P2mError(error.code, `${name} is too much for the ${this.memory.kind} memory`, { ...place, ...facts });
    }
    return error;
  }

  /** What the memory holds where a `set_entry` says it holds something else. */
  #found(batch: EventBatch, i: number): string | undefined {
    if (batch.kind[i] !== KINDS.set_entry.id) return undefined;
    const found = this.memory.loadEntryOf(batch.b[i]!, batch.a[i]!);
    return `"old":"${this.memory.codec.toHex(found)}"`;
  }
}

/** What the guard throws; `play` says of which event. */
class Refusal extends Error {
  readonly got: string;
  readonly expected: string;

  constructor(what: string, got: string, expected: string) {
    super(what);
    this.got = got;
    this.expected = expected;
  }
}

function refuse(what: string, got: string, expected: string): never {
  throw new Refusal(what, got, expected);
}

function buildMemory(header: EventsHeader, form: Form, codec: EntryCodec, kind: MemoryKind): Memory {
  const geometry = geometryByName(header.geometry);
  checkGeometry(form, geometry);
  const { capacity, entryBits } = header;
  if (entryBits !== geometry.entryBits) {
    throw inputError('entries of another size', {
      got: `${entryBits} bits`,
      expected: `${geometry.entryBits} on ${geometry.name}`,
    });
  }
  if (capacity === undefined) {
    throw inputError('no capacity', { got: 'none', expected: 'what the memory was laid out for: "capacity":{...}' });
  }
  if (kind === 'flat' && form.structure === 'tree') {
    throw inputError('this kernel has no linear list', { got: form.name, expected: 'the paged memory' });
  }
  return kind === 'flat'
    ? new FlatMemory({ ...capacity, geometry }, codec)
    : new PagedMemory({ ...capacity, geometry }, codec);
}

/** What a header asks for; where that cannot be, the file is to blame. */
function fromHeader<T>(file: string, build: () => T): T {
  try {
    return build();
  } catch (error) {
    if (error instanceof P2mError) {
      const [what] = error.message.split(': got ');
      throw inputError(`the header of the log: ${what}`, { ...error.complaint, file });
    }
    // The engine's own words where it cannot get that much memory.
    if (error instanceof RangeError) throw inputError('the header of the log: too large', { file, got: error.message });
    throw error;
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

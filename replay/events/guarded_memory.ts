import {
  AssertionError,
  FAULT,
  inputError,
  KINDS,
  kindName,
  P2mError,
  viewEvent,
  type EntryCodec,
  type EventBatch,
  type EventsHeader,
  type Place,
} from '../../events/index.js';
import {
  apply,
  applyEntry,
  checkGeometry,
  FlatMemory,
  formByKernel,
  geometryByName,
  PagedMemory,
  undo,
  type Form,
  type Memory,
} from '../../src/index.js';
import { EventGuard, isLeafRole } from './event_guard.js';

/** Which memory the events are played into. The flat one cannot show a leaf that is mapped twice (memory/flat.ts). */
export type MemoryKind = 'paged' | 'flat';

const SET_ENTRY = KINDS.set_entry.id;
const CALL = KINDS.call.id;
const RETURN = KINDS.return.id;

/** By id: kinds that `apply` has something to do for. */
const MUTATES = Uint8Array.from({ length: 256 }, (_, id) => {
  const name = kindName(id);
  return name !== undefined && KINDS[name].mutates ? 1 : 0;
});

/**
 * The memory that the header of a log describes, empty at first, for events that somebody else wrote: none is applied that
 * leads out of it.
 */
export class GuardedMemory {
  readonly form: Form;
  readonly memory: Memory;
  readonly #file: string;
  readonly #guard: EventGuard;
  #row = 0;

  /**
   * @param codec the one that the words of the events belong to; `memory` uses it too
   * @throws {P2mError} with exit code 3 where no memory can be built by the header
   */
  constructor(header: EventsHeader, codec: EntryCodec, file: string, kind: MemoryKind = 'paged') {
    this.#file = file;
    this.form = fromHeader(file, () => formByKernel(header.kernel));
    this.memory = fromHeader(file, () => buildMemory(header, this.form, codec, kind));
    this.#guard = new EventGuard(this.memory, this.form.structure === 'tree', refuse);
  }

  /** The row that was applied last, or that could not be. */
  get row(): number {
    return this.#row;
  }

  /**
   * Applies rows [start, end), in order. Row 0 is event `seq` of the log; `placeOf` says where a row stands, for a complaint.
   * @throws {P2mError} with file, place and number of the event (exit code 3): it does not fit the memory; the flat memory
   *   cannot show it (code `capacity`). The rows before `row` are applied.
   */
  apply(batch: EventBatch, start: number, end: number, seq: number, placeOf?: (row: number) => Place): void {
    try {
      this.#applyRows(batch, start, end);
    } catch (error) {
      throw this.#misfit(error, batch, seq, placeOf?.(this.#row) ?? { file: this.#file });
    }
  }

  /** Takes rows [start, end) back, the last one first: they were the last that were applied. */
  undo(batch: EventBatch, start: number, end: number): void {
    const { memory } = this;
    for (let i = end - 1; i >= start; i--) if (MUTATES[batch.kind[i]!] === 1) undo(memory, batch, i);
  }

  /** Whether the page was filled by the events so far. */
  isFilled(page: number): boolean {
    return this.#guard.isFilled(page);
  }

  /** Who puts the memory back to another moment, all of its words and roles, says so of each page whose role it puts back. */
  noteFilled(page: number, filled: boolean): void {
    this.#guard.noteFilled(page, filled);
    if (filled && this.memory instanceof PagedMemory) this.memory.noteFilled(page);
  }

  #applyRows(batch: EventBatch, start: number, end: number): void {
    const { memory } = this;
    for (let i = this.#applyPlain(batch, start, end); i < end; i = this.#applyPlain(batch, i + 1, end)) {
      this.#row = i;
      this.#guard.check(batch, i);
      if (MUTATES[batch.kind[i]!] === 1) apply(memory, batch, i);
    }
    if (start < end) this.#row = end - 1;
  }

  /**
   * Applies rows as long as they are of the kinds that long logs consist of, and fit; so they are through in half the time.
   * Returns the first row that is something else, or does not fit, with which nothing was done: `check` and `apply` say what
   * is wrong with it.
   */
  #applyPlain({ kind, cpu, a, b, c, d }: EventBatch, start: number, end: number): number {
    const { memory } = this;
    const { roles } = memory;
    const { cpus, pfnEnd, pfnUpperEnd, pageEnd } = this.#guard.bounds;
    for (let i = start; i < end; i++) {
      if (cpu[i]! >= cpus) return i;
      switch (kind[i]) {
        case SET_ENTRY: {
          const pfn = a[i]!;
          const page = b[i]!;
          const now = d[i]!;
          const isInside = pfn >= 0 && pfn < pfnEnd && page >= 0 && page < pageEnd;
          if (!isInside || !isLeafRole(roles[page]!) || now === FAULT) return i;
          if (!applyEntry(memory, pfn, page, c[i]!, now)) return i;
          break;
        }
        case CALL:
          if (c[i]! >= pfnUpperEnd) return i;
          break;
        case RETURN:
          break;
        default:
          return i;
      }
    }
    return end;
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

/** What the guard throws; `apply` says of which event. */
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

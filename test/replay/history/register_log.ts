import {
  BatchLog,
  EntryCodec,
  EventBatch,
  INVALID,
  KINDS,
  mfnWord,
  Operation,
  payloadColumn,
  Result,
  type EventsHeader,
  type Word,
} from '../../../events/index.js';
import { bootSequence, Domain, formByKernel, GEOMETRIES, headerOf } from '../../../src/index.js';
import { EventType, OperationKind, type History } from '../../../replay/index.js';

/** Pfns that the list has, and what stands in each at first. */
export const NR_PAGES = 32;
export const firstWord = (pfn: number): Word => mfnWord(1000 + pfn);

/** The events of a booted domain; no entry of it is wide, so they are the same with any codec. */
function booted(): { readonly batch: EventBatch; readonly header: EventsHeader } {
  const batch = new EventBatch();
  const domain = new Domain({
    form: formByKernel('7.0'),
    geometry: GEOMETRIES.tiny,
    nrPages: NR_PAGES,
    onEvents: (events) => {
      for (let i = 0; i < events.length; i++) batch.copyRow(events, i, payloadColumn(events.kind[i]!));
    },
  });
  bootSequence(domain, { nrPages: NR_PAGES, firstEntry: firstWord(0) });
  domain.flush();
  return { batch, header: headerOf(domain) };
}

const BOOTED = booted();
/** The number of the first operation that is told. */
export const FIRST_OP = Math.max(...BOOTED.batch.op.subarray(0, BOOTED.batch.length)) + 1;

/** The events of a booted domain, and then whatever is told: the calls and returns of a log, without what lies between. */
export class RegisterLog {
  readonly codec = new EntryCodec(64);
  readonly batch = new EventBatch();
  #op = FIRST_OP;

  constructor() {
    const { batch } = BOOTED;
    for (let i = 0; i < batch.length; i++) this.batch.copyRow(batch, i, payloadColumn(batch.kind[i]!));
  }

  /** Events so far. */
  get seq(): number {
    return this.batch.length;
  }

  /** Gives the number of the operation. */
  call(operation: keyof typeof Operation, pfn: number, value: Word = INVALID): number {
    const op = this.#op++;
    this.batch.push(KINDS.call.id, 0, op, Operation[operation], pfn | 0, Math.floor(pfn / 2 ** 32), value);
    return op;
  }

  returned(op: number, operation: keyof typeof Operation, result: keyof typeof Result, value: number): void {
    this.batch.push(KINDS.return.id, 0, op, Operation[operation], Result[result], value);
  }

  /** A look-up that nothing overlaps. */
  lookUp(pfn: number, value: Word, operation: keyof typeof Operation = '__pfn_to_mfn'): number {
    const op = this.call(operation, pfn);
    this.returned(op, operation, 'word', value);
    return op;
  }

  /** A set that nothing overlaps. */
  set(pfn: number, value: Word, result = 1): number {
    const op = this.call('set_phys_to_machine', pfn, value);
    this.returned(op, 'set_phys_to_machine', 'bool', result);
    return op;
  }

  /** An entry is stored; what is in the leaf does not matter here. */
  store(op: number, pfn: number, value: Word): void {
    this.batch.push(KINDS.set_entry.id, 0, op, pfn, 0, 0, value);
  }

  identify(op: number, pfnStart: number, pfnEnd: number): void {
    this.batch.push(KINDS.identity_range.id, 0, op, pfnStart, pfnEnd, this.batch.pushPayload([]));
  }

  log(): BatchLog {
    return new BatchLog('registers.p2mlog', BOOTED.header, this.codec, [this.batch]);
  }
}

/** A history without cas as the log of a domain: key k is pfn k, null what stands there at first, value v an mfn of its own. */
export function logOfHistory(history: History): BatchLog {
  const told = new RegisterLog();
  const { key, kind, value, outcome } = history.arrange();
  const ops = new Map<number, number>();
  const pfnOf = (operation: number): number => history.keys.name(key.cells[operation]!) as number;
  const wordOf = (operation: number): Word => {
    const name = history.values.name(value.cells[operation]!) as number | null;
    return name === null ? firstWord(pfnOf(operation)) : name === 0 ? INVALID : mfnWord(name);
  };
  for (const event of history.events.cells.subarray(0, history.events.length)) {
    const operation = event >> 2;
    const name = kind.cells[operation] === OperationKind.read ? '__pfn_to_mfn' : 'set_phys_to_machine';
    if ((event & 3) === EventType.invoke) ops.set(operation, told.call(name, pfnOf(operation), wordOf(operation)));
    else if (outcome.cells[operation] === EventType.info) told.returned(ops.get(operation)!, name, 'bug', 0);
    else if (name === '__pfn_to_mfn' && outcome.cells[operation] === EventType.ok) {
      told.returned(ops.get(operation)!, name, 'word', wordOf(operation));
    } else told.returned(ops.get(operation)!, name, 'bool', outcome.cells[operation] === EventType.ok ? 1 : 0);
  }
  return told.log();
}

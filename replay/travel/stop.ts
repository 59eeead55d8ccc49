import { KINDS, Operation, OPERATIONS, usageError, type EventBatch } from '../../events/index.js';
import type { WatchedValue } from './watched_value.js';

const CALL = KINDS.call.id;

/** A watch has changed, or an event of a breakpoint has happened; going backwards it was taken back. */
export interface Hit {
  readonly stop: Stop;
  /** Number of the event. */
  readonly seq: number;
  /** Of a watch: before and after in the direction of the journey. */
  readonly change?: { readonly from: number; readonly to: number };
}

/** What a journey stops at. */
export type Stop = Watch | Breakpoint;

/** Stops where a value changes. */
export class Watch {
  readonly kind = 'watch';
  readonly id: number;
  readonly value: WatchedValue;
  hits = 0;

  constructor(id: number, value: WatchedValue) {
    this.id = id;
    this.value = value;
  }

  get name(): string {
    return this.value.name;
  }
}

/** Stops at events of one kind, or where one operation begins. */
export class Breakpoint {
  readonly kind = 'break';
  readonly id: number;
  readonly name: string;
  readonly #kind: number;
  /** Of a call: the operation. */
  readonly #operation: number | undefined;
  hits = 0;

  /** @throws {P2mError} code `usage`: no kind of event has the name, and no operation */
  constructor(id: number, name: string) {
    this.id = id;
    this.name = name;
    const isOperation = (OPERATIONS as readonly string[]).includes(name) && name !== 'none';
    if (!isOperation && !Object.hasOwn(KINDS, name)) {
      throw usageError('no such kind of event or operation', {
        got: JSON.stringify(name),
        expected: 'set_entry, set_phys_to_machine, ...: complete it with Tab',
      });
    }
    this.#kind = isOperation ? CALL : KINDS[name as keyof typeof KINDS].id;
    this.#operation = isOperation ? Operation[name as keyof typeof Operation] : undefined;
  }

  isAt(batch: EventBatch, i: number): boolean {
    return batch.kind[i] === this.#kind && (this.#operation === undefined || batch.a[i] === this.#operation);
  }

  /** Whether events of kind `id` can be it. */
  concerns(id: number): boolean {
    return id === this.#kind;
  }
}

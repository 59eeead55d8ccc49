import {
  assert,
  AssertionError,
  KINDS,
  kindName,
  OPERATIONS,
  type EntryCodec,
  type EventBatch,
  type EventsHeader,
  type OperationName,
} from '../../events/index.js';
import { apply, type Memory } from '../../src/index.js';
import { EventPlayer } from '../events/event_player.js';
import type { ScenarioOperation } from '../scenario/scenario.js';

/** Half-open: line numbers of a kernel's log, from 1 on; numbers of events of a log of ours, from 0 on. */
export interface LogWindow {
  readonly start: number;
  readonly end: number;
}

/** A call of the window. */
export interface WindowCall {
  /** Line or event that opened it. */
  readonly at: number;
  readonly cpu: number;
  readonly operation: ScenarioOperation;
}

/** What a scenario calls the operations that it has. */
export const KIND_OF: Partial<Record<OperationName, ScenarioOperation[0]>> = {
  set_phys_to_machine: 'set',
  __set_phys_to_machine: 'rawSet',
  __pfn_to_mfn: 'lookup',
  pfn_to_mfn: 'lookup',
  get_phys_to_machine: 'get',
  xen_alloc_p2m_entry: 'alloc',
};

const CALL = KINDS.call.id;
const NO_OP = 0;

/**
 * Gathers the calls of a window from the events of a replay, and the list as it stood before the first of them. What the
 * replay finds out about the list later (events of no operation) belongs to that moment too: it was so all along.
 */
export class WindowCalls {
  readonly memory: Memory;
  readonly calls: WindowCall[] = [];
  /** Calls that no scenario has, by operation. */
  readonly leftOut = new Map<string, number>();
  readonly header: EventsHeader;
  readonly #codec: EntryCodec;
  readonly #window: LogWindow;
  readonly #byLine: boolean;
  #seq = 0;
  #open = false;

  /** @param byLine the window is of lines, which a call names as its origin; else of numbers of events */
  constructor(header: EventsHeader, codec: EntryCodec, log: string, window: LogWindow, byLine: boolean) {
    this.header = header;
    this.memory = new EventPlayer(header, codec, log).memory;
    this.#codec = codec;
    this.#window = window;
    this.#byLine = byLine;
  }

  /** The next events of the log. */
  take(batch: EventBatch): void {
    for (let i = 0; i < batch.length; i++, this.#seq++) {
      if (batch.kind[i] === CALL) this.#takeCall(batch, i);
      else if (!this.#open) this.#play(batch, i);
      else if (this.#byLine && batch.op[i] === NO_OP) this.#playLater(batch, i);
    }
  }

  #takeCall(batch: EventBatch, i: number): void {
    const at = this.#byLine ? batch.e[i]! : this.#seq;
    const name = OPERATIONS[batch.a[i]!];
    assert(name !== undefined, `no operation has number ${batch.a[i]}`);
    const kind = KIND_OF[name];
    this.#open ||= at >= this.#window.start && kind !== undefined;
    // What began before the window and ran after its first call overlaps it.
    if (!this.#open || at >= this.#window.end) return;
    if (kind === undefined) {
      this.leftOut.set(name, (this.leftOut.get(name) ?? 0) + 1);
      return;
    }
    const pfn = batch.c[i]! * 2 ** 32 + (batch.b[i]! >>> 0);
    const operation: ScenarioOperation =
      kind === 'set' || kind === 'rawSet' ? [kind, pfn, this.#codec.format(batch.d[i]!)] : [kind, pfn];
    this.calls.push({ at, cpu: batch.cpu[i]!, operation });
  }

  /** Plays what the replay found out, unless it tells of what calls of the window have made. */
  #playLater(batch: EventBatch, i: number): void {
    try {
      this.#play(batch, i);
    } catch (error) {
      if (!(error instanceof AssertionError)) throw error;
    }
  }

  #play(batch: EventBatch, i: number): void {
    const name = kindName(batch.kind[i]!);
    if (name !== undefined && KINDS[name].mutates) apply(this.memory, batch, i);
  }
}

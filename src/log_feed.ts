import { EventBatch, P2mError, payloadColumn } from '../events/index.js';

/** Keeps the events of an engine: `EventLog` of xen-p2m/events, or something of your own. */
export interface EngineLog {
  /**
   * Keeps the batch, whose row 0 is event `seq`. Valid until the promise settles. Where it rejects it is asked again, from
   * the same event on.
   */
  append(batch: EventBatch, seq: number): Promise<void>;
  /** No event follows. */
  close?(): Promise<void>;
  /** No event follows, and what is not taken is lost: gives back what it holds, without waiting for a disk that refuses. */
  abandon?(): Promise<void>;
}

/**
 * Bounds a wait: begins to count when it is called, and calls `late` once it has been too long. Returns what stops it.
 * `patience(ms)` of xen-p2m/node is one with Node's timers.
 */
export type Patience = (late: () => void) => () => void;

/**
 * What the log does with what has happened. `open`: it has all, or is about to be asked. `behind`: it refused events, and is
 * asked again before anything else runs. `stalled`: it has not answered in time, and is asked nothing until it does.
 */
export type FeedState = 'open' | 'behind' | 'stalled';

/** By id: the operand column that names a payload record, or -1. */
const PAYLOAD_COLUMN = Int8Array.from({ length: 256 }, (_, id) => payloadColumn(id));

/** A domain's own batch is handed on when it has 4096 events; boot and hot loops may leave more between two appends. */
const BATCH_EVENTS = 8192;

/**
 * The events that memory has and the log has not, in order: those that are being appended, or were to be and failed, and
 * behind them those that came since. One append at a time.
 */
export class LogFeed {
  readonly #log: EngineLog | undefined;
  readonly #patience: Patience | undefined;
  /** Told of each batch that the log took, before it is forgotten. */
  readonly #onAppended: (batch: EventBatch, seq: number) => void;
  /** What has happened and is not on its way to the log. */
  #pending = new EventBatch(BATCH_EVENTS);
  /** What is being appended, or was to be and failed. */
  #leaving = new EventBatch(BATCH_EVENTS);
  /** Number of the first event of `#leaving`. */
  #seq: number;
  #appending: Promise<void> | undefined;
  #isStalled = false;
  #failure: unknown;
  /** What ends the waits there are. */
  readonly #waits = new Set<(why: P2mError) => void>();

  constructor(
    log: EngineLog | undefined,
    seq: number,
    patience: Patience | undefined,
    onAppended: (batch: EventBatch, seq: number) => void,
  ) {
    this.#log = log;
    this.#seq = seq;
    this.#patience = patience;
    this.#onAppended = onAppended;
  }

  /** Number of the next event that the log takes. */
  get seq(): number {
    return this.#seq;
  }

  /** Events that the log has not taken. */
  get events(): number {
    return this.#leaving.length + this.#pending.length;
  }

  /** Events that came since the last append began. */
  get pending(): number {
    return this.#pending.length;
  }

  get state(): FeedState {
    if (this.#isStalled) return 'stalled';
    return this.#failure === undefined ? 'open' : 'behind';
  }

  /** Why the log is behind or stalled. */
  get failure(): unknown {
    return this.#failure;
  }

  /** Events have happened: copies them. */
  collect(batch: EventBatch): void {
    const pending = this.#pending;
    for (let i = 0; i < batch.length; i++) pending.copyRow(batch, i, PAYLOAD_COLUMN[batch.kind[i]!]!);
  }

  /** Of those that came since the last append began, only the first `pending` are for the log. */
  forgetFrom(pending: number): void {
    this.#pending.truncate(pending);
  }

  /**
   * Appends what an earlier append could not, so that memory never runs further ahead of the log.
   * @throws {P2mError} code `capacity`: the log still refuses it, or has not answered
   */
  async catchUp(): Promise<void> {
    if (this.#leaving.length === 0) return;
    const [first, count] = [this.#seq, this.#leaving.length];
    try {
      await this.append();
    } catch (error) {
      throw new P2mError('capacity', 'nothing was run: the log still refuses what was done before', {
        got: `${String(error)}, for ${count} events from event ${first} on`,
        expected: 'a log that takes them',
      });
    }
  }

  /**
   * Appends what failed before, or else what came since; waits no longer than the patience.
   * @throws what the log throws; {P2mError} code `capacity`: it has not answered in time, and may yet take them
   */
  async append(): Promise<void> {
    if (this.#isStalled) throw this.#failure;
    this.#appending ??= this.#begin();
    if (this.#appending !== undefined) await this.patiently(this.#appending, (late) => this.#stall(late));
  }

  /** Waits for the log no longer than the patience, nor beyond `giveUp`; `onLate` is told of the error that it then throws. */
  patiently(answer: Promise<void>, onLate: (late: P2mError) => void = () => undefined): Promise<void> {
    // Not Promise.race: each race would leave something behind at a promise that does not settle for long.
    return new Promise((resolve, reject) => {
      const stop = this.#patience?.(() => {
        const late = this.#late();
        onLate(late);
        reject(late);
      });
      const end = (): void => {
        stop?.();
        this.#waits.delete(reject);
      };
      this.#waits.add(reject);
      answer.finally(end).then(resolve, reject);
    });
  }

  /** Nobody waits for the log any more: who does is refused. */
  giveUp(): void {
    for (const reject of this.#waits) reject(new P2mError('capacity', 'abandoned before the log answered'));
  }

  #late(): P2mError {
    return new P2mError('capacity', 'the log has not answered in time', {
      got: `${this.events} events from event ${this.#seq} on wait for it`,
      expected: 'a log that takes them, or says why not',
    });
  }

  #stall(error: P2mError): void {
    if (this.#appending === undefined) return;
    this.#isStalled = true;
    this.#failure = error;
  }

  /** Begins an append, where there is something; it settles itself, whoever waits for it. */
  #begin(): Promise<void> | undefined {
    if (this.#leaving.length === 0) {
      // What happens while the log is busy waits in the other batch.
      [this.#leaving, this.#pending] = [this.#pending, this.#leaving];
    }
    if (this.#leaving.length === 0) return undefined;
    const appending = this.#append(this.#leaving).finally(() => {
      this.#isStalled = false;
      this.#appending = undefined;
    });
    // It may end when nobody waits for it any more.
    appending.catch(() => undefined);
    return appending;
  }

  async #append(batch: EventBatch): Promise<void> {
    try {
      await this.#log?.append(batch, this.#seq);
      this.#failure = undefined;
    } catch (error) {
      this.#failure = error;
      throw error;
    }
    const seq = this.#seq;
    this.#seq += batch.length;
    try {
      this.#onAppended(batch, seq);
    } finally {
      batch.clear();
    }
  }
}

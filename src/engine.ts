import { Subject, type Observable } from 'rxjs';
import { EventBatch, payloadColumn, type OperationName, type Word } from '../events/index.js';
import { Domain, type DomainOptions, type Outcome } from './domain.js';
import { boundLookUp } from './look_up.js';
import type { Machine } from './machine.js';
import { OwnedMutex } from './owned_mutex.js';

/** An operation that a caller asks for. */
export interface Command {
  readonly operation: OperationName;
  readonly machine: Machine;
  readonly pfn: number;
  /** A word, or what the machine makes of it; default 0. */
  readonly value?: Word;
  readonly count?: number;
}

/** What an engine is made of. */
export interface EngineOptions extends Omit<DomainOptions, 'onEvents'> {
  /** Keeps a batch before anybody is told of it: the log. The batch is valid until the promise settles. */
  readonly append?: (batch: EventBatch) => Promise<void>;
  /** Most callers that may wait at once. */
  readonly queueMax?: number;
}

/**
 * A domain for asynchronous callers. A batch of commands is applied and appended as one act under the engine's lock, so
 * the order of the log is the order of memory; look-ups take no lock. Whoever has to be faster takes `domain` and makes
 * its synchronous calls, alone.
 */
export class Engine {
  readonly domain: Domain;
  /** What a look-up answers now; takes no lock. */
  readonly lookUp: (pfn: number) => Word;
  /**
   * What happened, a batch at a time, in the order of the log and after it was appended. Only a view: nothing that a
   * subscriber does comes back. A batch is valid during the call of `next`.
   */
  readonly events$: Observable<EventBatch>;
  readonly #events = new Subject<EventBatch>();
  readonly #pending = new EventBatch();
  readonly #append: ((batch: EventBatch) => Promise<void>) | undefined;
  readonly #mutex: OwnedMutex;

  constructor(options: EngineOptions) {
    const { append, queueMax, ...domain } = options;
    this.#append = append;
    this.#mutex = new OwnedMutex(queueMax);
    this.domain = new Domain({ ...domain, onEvents: (batch) => this.#collect(batch) });
    this.lookUp = boundLookUp(this.domain.memory);
    this.events$ = this.#events.asObservable();
  }

  /**
   * Runs the commands one after the other, with nobody else's between them. When it resolves, their events are appended.
   * @param owner who asks, for messages
   * @throws P2mError when too many callers wait; what `append` throws (the commands have run, their events stay pending
   *   and go with the next batch)
   */
  async execute(commands: readonly Command[], owner = 'a caller'): Promise<Outcome[]> {
    return this.#mutex.run(owner, async () => {
      const outcomes = commands.map(({ operation, machine, pfn, value = 0, count = 0 }) =>
        this.domain.run(operation, machine, pfn, value, count),
      );
      await this.#publish();
      return outcomes;
    });
  }

  /** Waits for whoever is before us, hands on what the domain did outside of `execute`, and ends `events$`. */
  async close(): Promise<void> {
    await this.#mutex.run('close', () => this.#publish());
    this.#events.complete();
  }

  #collect(batch: EventBatch): void {
    for (let i = 0; i < batch.length; i++) this.#pending.copyRow(batch, i, payloadColumn(batch.kind[i]!));
  }

  async #publish(): Promise<void> {
    this.domain.flush();
    if (this.#pending.length === 0) return;
    await this.#append?.(this.#pending);
    this.#events.next(this.#pending);
    this.#pending.clear();
  }
}

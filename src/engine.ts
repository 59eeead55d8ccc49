import { Subject, type Observable } from 'rxjs';
import {
  Clock,
  commOf,
  EventBatch,
  FAULT,
  P2mError,
  payloadColumn,
  usageError,
  type EntryCodec,
  type EventsHeader,
  type Word,
} from '../events/index.js';
import { NOBODY, type Behalf } from './behalf.js';
import { checkCommand, type CheckedCommand, type Command } from './command.js';
import { Domain, type DomainOptions } from './domain.js';
import type { Outcome } from './outcome.js';
import { headerOf } from './domain_header.js';
import { boundLookUp } from './look_up.js';
import { OwnedMutex } from './owned_mutex.js';

/** Keeps the events of an engine: `EventLog` of xen-p2m/events, or something of your own. */
export interface EngineLog {
  /**
   * Keeps the batch, whose row 0 is event `seq`. Valid until the promise settles. Where it rejects it is asked again, from
   * the same event on.
   */
  append(batch: EventBatch, seq: number): Promise<void>;
  /** No event follows. */
  close?(): Promise<void>;
}

/** Told what the engine does, a line a batch at most, never one an event. A pino logger is one. */
export interface EngineLogger {
  debug(facts: object, text: string): void;
  info(facts: object, text: string): void;
  warn(facts: object, text: string): void;
  error(facts: object, text: string): void;
}

/** What an engine is made of. */
export interface EngineOptions extends Omit<DomainOptions, 'onEvents'> {
  /** Begins the log, given what its head must say: `logTo(file)`. Default: events are kept nowhere. */
  readonly log?: (header: EventsHeader, codec: EntryCodec) => EngineLog;
  /** Where the events come from, in words, for the log's head. */
  readonly origin?: string;
  /** Most callers that may wait at once; default 10 000. */
  readonly queueMax?: number;
  readonly logger?: EngineLogger;
  /**
   * What time it is, in whole nanoseconds below 2^53, for the log to say when commands began: asked once a call, under the
   * lock. Default: the log has no times.
   */
  readonly clock?: () => number;
}

/** By id: the operand column that names a payload record, or -1. */
const PAYLOAD_COLUMN = Int8Array.from({ length: 256 }, (_, id) => payloadColumn(id));

const UTF_8 = new TextEncoder();

/** A domain's own batch is handed on when it has 4096 events; boot and hot loops may leave more between two appends. */
const BATCH_EVENTS = 8192;

/**
 * A domain for asynchronous callers. A batch of commands is applied and appended as one act under the engine's lock, so
 * the order of the log is the order of memory, and memory is never more than one batch ahead of a log that fails.
 *
 * Look-ups take no lock, nor do synchronous calls (`executeNow`, or those of `domain` in a hot loop): one thread runs them,
 * so they too are in memory and in the log in one order; their events are appended with the next batch, or by `flush`.
 */
export class Engine {
  readonly domain: Domain;
  /** What a look-up answers now; takes no lock, and is not logged. */
  readonly lookUp: (pfn: number) => Word;
  /**
   * What happened, a batch at a time, in the order of the log and after it was appended. Only a view: nothing that a
   * subscriber does comes back. A batch is valid during the call of `next`; what a subscriber throws, rxjs reports as
   * unhandled. Completes with `close`.
   */
  readonly events$: Observable<EventBatch>;
  readonly #events = new Subject<EventBatch>();
  readonly #log: EngineLog | undefined;
  readonly #logger: EngineLogger | undefined;
  readonly #mutex: OwnedMutex;
  readonly #origin: string | undefined;
  readonly #clock: (() => number) | undefined;
  /** What has happened and is not on its way to the log. */
  #pending = new EventBatch(BATCH_EVENTS);
  /** What is being appended, or was to be and failed. */
  #leaving = new EventBatch(BATCH_EVENTS);
  /** Number of the first event of `#leaving`. */
  #seq = 0;
  /** What broke off an operation in its middle: a bug of ours, or something that the flat memory cannot show. */
  #brokenBy: { readonly error: unknown } | undefined;
  /** Nothing runs any more. */
  #closed = false;
  /** The log is closed too. */
  #ended = false;

  /** @throws {P2mError} as `Domain` does */
  constructor(options: EngineOptions) {
    const { log, origin, queueMax, logger, clock, ...domain } = options;
    this.#mutex = new OwnedMutex(queueMax);
    this.#logger = logger;
    this.#origin = origin;
    this.#clock = clock;
    this.domain = new Domain({ ...domain, onEvents: (batch) => this.#collect(batch) });
    this.lookUp = boundLookUp(this.domain.memory);
    this.events$ = this.#events.asObservable();
    this.#log = log?.(this.header, this.codec);
  }

  /** Turns entries into text and back: `codec.parse('m:77')`, `codec.format(word)`, `codec.toHex(word)`. */
  get codec(): EntryCodec {
    return this.domain.memory.codec;
  }

  /** What the head of a log of this engine says. */
  get header(): EventsHeader {
    return headerOf(this.domain, this.#origin);
  }

  /** Who has the lock; undefined when nobody has. */
  get owner(): string | undefined {
    return this.#mutex.owner;
  }

  /** Callers that wait for the lock. */
  get waiting(): number {
    return this.#mutex.waiting;
  }

  /** Events that were appended and told of: the number of the next one. */
  get appended(): number {
    return this.#seq;
  }

  /** What a look-up answers now, as text: `m:77`, `i:N`, `f:N`, `fi:N`, `~`; `fault` where the kernel would fault. */
  entryOf(pfn: number): string {
    const word = this.lookUp(pfn);
    return word === FAULT ? 'fault' : this.codec.format(word);
  }

  /**
   * Runs a command, or several one after the other with nobody else's between them. When it resolves, their events are
   * appended, and `events$` has told of them.
   *
   * An operation that ends in a kernel assertion or a fault is an outcome, not an error.
   *
   * @param owner who asks: the task that the log names for it (its first 16 bytes in UTF-8), and for messages
   * @throws {P2mError} and nothing has run: `usage`, a bad command or time, or the engine is closed; `capacity`, too many callers wait,
   *   or the log still refuses what was done before
   * @throws what the log throws: the commands have run, and their events are appended before anything else runs
   * @throws what broke off an operation in its middle (`AssertionError`; `capacity`, where the flat memory cannot show what
   *   it does): the engine takes nothing more but `close`
   */
  execute(command: Command, owner?: string): Promise<Outcome>;
  execute(commands: readonly Command[], owner?: string): Promise<Outcome[]>;
  async execute(asked: Command | readonly Command[], owner?: string): Promise<Outcome | Outcome[]> {
    const checked = this.#check(asked);
    const outcomes = await this.#locked(owner ?? 'a caller', async () => {
      await this.#catchUp();
      const done = this.#run(checked, owner);
      await this.#publish();
      return done;
    });
    return isList(asked) ? outcomes : outcomes[0]!;
  }

  /**
   * As `execute`, at once: takes no lock and waits for no log. Their events go with the next batch, so call `flush` every
   * so often.
   *
   * @throws {P2mError} code `usage`, and nothing has run: a bad command or time, or the engine is closed
   */
  executeNow(command: Command, owner?: string): Outcome;
  executeNow(commands: readonly Command[], owner?: string): Outcome[];
  executeNow(asked: Command | readonly Command[], owner?: string): Outcome | Outcome[] {
    const outcomes = this.#run(this.#check(asked), owner);
    return isList(asked) ? outcomes : outcomes[0]!;
  }

  /** A look-up that is logged: what it answered is an event. @throws as `execute` does */
  async loggedLookUp(pfn: number, owner?: string): Promise<Word> {
    const outcome = await this.execute({ operation: 'look_up', pfn }, owner);
    return 'value' in outcome ? outcome.value : FAULT;
  }

  /** Appends what synchronous calls have done, the boot among them. @throws as `execute` does */
  async flush(owner = 'a caller'): Promise<void> {
    this.#checkOpen();
    await this.#locked(owner, async () => {
      await this.#catchUp();
      await this.#publish();
    });
  }

  /**
   * Waits for whoever is before us, appends what is left, closes the log and ends `events$`. Nothing runs afterwards.
   * @throws what the log throws: where it refused events, the engine stays open; in any case it may be closed again
   */
  async close(owner = 'close'): Promise<void> {
    await this.#mutex.run(owner, async () => {
      // A synchronous call may come while the log is busy: it is open or closed, never in between.
      while (!this.#closed) {
        if (this.#hasMore()) await this.#publish();
        else this.#closed = true;
      }
      if (this.#ended) return;
      await this.#log?.close?.();
      this.#ended = true;
      this.#logger?.info({ events: this.#seq }, 'engine closed');
      this.#events.complete();
    });
  }

  #check(asked: Command | readonly Command[]): CheckedCommand[] {
    this.#checkOpen();
    return (isList(asked) ? asked : [asked]).map((command) => checkCommand(this.domain, command));
  }

  #checkOpen(): void {
    if (this.#closed) throw usageError('the engine is closed');
    if (this.#brokenBy === undefined) return;
    throw usageError('the engine has broken off in the middle of an operation', {
      got: String(this.#brokenBy.error),
      expected: 'close, which leaves the log as it was before',
    });
  }

  #run(checked: readonly CheckedCommand[], owner: string | undefined): Outcome[] {
    const behalf = this.#behalfOf(owner);
    try {
      return checked.map((run) => run(behalf));
    } catch (error) {
      this.#brokenBy = { error };
      throw error;
    }
  }

  #behalfOf(owner: string | undefined): Behalf {
    if (owner === undefined && this.#clock === undefined) return NOBODY;
    const comm = owner === undefined ? NOBODY.comm : commOf(UTF_8.encode(owner));
    if (this.#clock === undefined) return { ...NOBODY, comm };
    const time = this.#clock();
    if (Number.isSafeInteger(time) && time >= 0) return { ...NOBODY, comm, clock: Clock.ns, time };
    throw usageError('the clock of the engine gives a bad time', {
      got: String(time),
      expected: 'whole nanoseconds from 0 to below 2^53',
    });
  }

  async #locked<T>(owner: string, work: () => Promise<T>): Promise<T> {
    try {
      return await this.#mutex.run(owner, () => {
        // It may have been closed while we waited.
        this.#checkOpen();
        return work();
      });
    } catch (error) {
      this.#logger?.warn({ owner, error: String(error) }, 'commands refused or not appended');
      throw error;
    }
  }

  /** Appends what an earlier batch could not, so that memory never runs further ahead of the log. */
  async #catchUp(): Promise<void> {
    if (this.#leaving.length === 0) return;
    const [first, count] = [this.#seq, this.#leaving.length];
    try {
      await this.#publish();
    } catch (error) {
      throw new P2mError('capacity', 'nothing was run: the log still refuses what was done before', {
        got: `${String(error)}, for ${count} events from event ${first} on`,
        expected: 'a log that takes them',
      });
    }
  }

  /** Of an operation that broke off nothing is appended: half of it would be there. */
  #hasMore(): boolean {
    if (this.#leaving.length > 0) return true;
    return this.#brokenBy === undefined && this.#pending.length + this.domain.batch.length > 0;
  }

  #collect(batch: EventBatch): void {
    const pending = this.#pending;
    for (let i = 0; i < batch.length; i++) pending.copyRow(batch, i, PAYLOAD_COLUMN[batch.kind[i]!]!);
  }

  /** Appends what failed before, or else what has happened since; then tells of it. Under the lock. */
  async #publish(): Promise<void> {
    if (this.#leaving.length === 0) {
      this.domain.flush();
      // What happens while the log is busy waits in the other batch.
      [this.#leaving, this.#pending] = [this.#pending, this.#leaving];
    }
    const batch = this.#leaving;
    if (batch.length === 0) return;
    await this.#log?.append(batch, this.#seq);
    this.#logger?.debug({ owner: this.owner, seq: this.#seq, events: batch.length }, 'batch appended');
    this.#seq += batch.length;
    this.#events.next(batch);
    batch.clear();
  }
}

function isList(asked: Command | readonly Command[]): asked is readonly Command[] {
  return Array.isArray(asked);
}

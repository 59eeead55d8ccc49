import { Subject, type Observable } from 'rxjs';
import {
  Clock,
  commOf,
  FAULT,
  P2mError,
  usageError,
  type EntryCodec,
  type EventBatch,
  type EventsHeader,
  type Word,
} from '../events/index.js';
import { NOBODY, type Behalf } from './behalf.js';
import { checkCommand, type CheckedCommand, type Command } from './command.js';
import { Domain } from './domain.js';
import type { EngineLogger, EngineOptions, EngineState } from './engine_options.js';
import type { Outcome } from './outcome.js';
import { headerOf } from './domain_header.js';
import { LogFeed, type EngineLog } from './log_feed.js';
import { boundLookUp } from './look_up.js';
import { OwnedMutex } from './owned_mutex.js';
import { PendingCall } from './pending_call.js';

const UTF_8 = new TextEncoder();

/** Calls that wait together are appended together, until they have made so many events. */
const GROUP_EVENTS = 4096;
const PENDING_MAX = 2 ** 22;

/**
 * A domain for asynchronous callers. Commands are applied and appended as one act under the engine's lock, so the order of
 * the log is the order of memory. Callers that have come to wait are served first come, first served, and their events are
 * appended together: memory is never more than one such batch ahead of a log that fails, and ten thousand callers wait for
 * a few appends, not for ten thousand.
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
  readonly #feed: LogFeed;
  readonly #logger: EngineLogger | undefined;
  readonly #mutex: OwnedMutex;
  readonly #pendingMax: number;
  /** Calls that wait for the lock together: who comes now may join them. */
  #gathering: PendingCall[] | undefined;
  /** Calls that joined others, and have not been served. */
  #joined = 0;
  readonly #origin: string | undefined;
  readonly #clock: (() => number) | undefined;
  /** What broke off an operation in its middle: a bug of ours, or something that the flat memory cannot show. */
  #brokenBy: { readonly error: unknown } | undefined;
  /** Nothing runs any more. */
  #closed = false;
  #abandoned = false;
  /** The log is closed too. */
  #ended = false;

  /** @throws {P2mError} as `Domain` does */
  constructor(options: EngineOptions) {
    const { log, origin, queueMax, pendingMax, patience, resumedAt = 0, logger, clock, ...domain } = options;
    this.#mutex = new OwnedMutex(queueMax);
    this.#pendingMax = pendingMax ?? PENDING_MAX;
    this.#logger = logger;
    this.#origin = origin;
    this.#clock = clock;
    this.domain = new Domain({ ...domain, onEvents: (batch) => this.#feed.collect(batch) });
    this.lookUp = boundLookUp(this.domain.memory);
    this.events$ = this.#events.asObservable();
    this.#log = log?.(this.header, this.codec);
    this.#feed = new LogFeed(this.#log, resumedAt, patience, (batch, seq) => this.#tell(batch, seq));
  }

  /** Turns entries into text and back: `codec.parse('m:77')`, `codec.format(word)`, `codec.toHex(word)`. */
  get codec(): EntryCodec {
    return this.domain.memory.codec;
  }

  /** What the head of a log of this engine says. */
  get header(): EventsHeader {
    return headerOf(this.domain, this.#origin);
  }

  /** Whether it takes commands, and why not; `failure` says more. */
  get state(): EngineState {
    if (this.#closed) return 'closed';
    return this.#brokenBy === undefined ? this.#feed.state : 'broken';
  }

  /** What the log, or the operation that broke off, has thrown; undefined where all is well. */
  get failure(): unknown {
    return this.#brokenBy === undefined ? this.#feed.failure : this.#brokenBy.error;
  }

  /** Who has the lock, of those that are served together the first; undefined when nobody has. */
  get owner(): string | undefined {
    return this.#mutex.owner;
  }

  /** Callers that wait for the lock. */
  get waiting(): number {
    return this.#mutex.waiting + this.#joined;
  }

  /** Events that were appended and told of: the number of the next one. */
  get appended(): number {
    return this.#feed.seq;
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
   * @throws what the log throws, or {P2mError} `capacity` that it has not answered in time: the commands have run, and their
   *   events are appended before anything else runs
   * @throws what broke off an operation in its middle (`AssertionError`; `capacity`, where the flat memory cannot show what
   *   it does): the engine takes nothing more but `close`
   */
  execute(command: Command, owner?: string): Promise<Outcome>;
  execute(commands: readonly Command[], owner?: string): Promise<Outcome[]>;
  async execute(asked: Command | readonly Command[], owner?: string): Promise<Outcome | Outcome[]> {
    const call = new PendingCall(this.#check(asked), owner);
    this.#enqueue(call);
    const outcomes = await call.answer;
    return isList(asked) ? outcomes : outcomes[0]!;
  }

  /**
   * As `execute`, at once: takes no lock and waits for no log. Their events go with the next batch, so call `flush` every
   * so often.
   *
   * @throws {P2mError} and nothing has run: `usage`, a bad command or time, or the engine is closed; `capacity`, too many
   *   events wait for the log
   */
  executeNow(command: Command, owner?: string): Outcome;
  executeNow(commands: readonly Command[], owner?: string): Outcome[];
  executeNow(asked: Command | readonly Command[], owner?: string): Outcome | Outcome[] {
    const checked = this.#check(asked);
    if (this.#waitingEvents() >= this.#pendingMax) throw this.#tooFarAhead();
    const outcomes = this.#run(checked, owner);
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
    this.#mutex.checkRoom(this.#joined);
    // Who comes later is served later.
    this.#gathering = undefined;
    try {
      await this.#mutex.run(owner, async () => {
        // It may have been closed while we waited.
        this.#checkOpen();
        await this.#feed.catchUp();
        await this.#publish();
      });
    } catch (error) {
      this.#warn(owner, error);
      throw error;
    }
  }

  /**
   * Waits for whoever is before us, appends what is left, closes the log and ends `events$`. Nothing runs afterwards.
   * @throws what the log throws: where it refused events, the engine stays open; in any case it may be closed again, or
   *   abandoned
   */
  async close(owner = 'close'): Promise<void> {
    this.#gathering = undefined;
    await this.#mutex.runLast(owner, async () => {
      // A synchronous call may come while the log is busy: it is open or closed, never in between.
      while (!this.#closed) {
        if (this.#waitingEvents() > 0) await this.#publish();
        else this.#closed = true;
      }
      if (this.#ended) return;
      if (this.#abandoned) throw usageError('the engine was abandoned: its log is not closed');
      await this.#feed.patiently(this.#log?.close?.() ?? Promise.resolve());
      this.#end('engine closed');
    });
  }

  /**
   * Ends the engine although its log does not take what is left: who waits is refused, the log gives back what it holds, and
   * is as a crash of the process leaves it. What was acknowledged is in it. May be repeated; completes `events$`.
   *
   * @returns how many events were not acknowledged: none of them may be in the log, or the first few
   * @throws what the log throws, or {P2mError} `capacity` that it has not answered in time: nothing runs all the same
   */
  async abandon(): Promise<number> {
    this.#closed = this.#abandoned = true;
    this.#gathering = undefined;
    this.#feed.giveUp();
    return this.#mutex.runLast('abandon', async () => {
      const lost = this.#waitingEvents();
      if (this.#ended) return lost;
      await this.#feed.patiently(this.#log?.abandon?.() ?? Promise.resolve());
      this.#end('engine abandoned');
      return lost;
    });
  }

  #end(how: string): void {
    this.#ended = true;
    this.#logger?.info({ events: this.appended }, how);
    this.#events.complete();
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

  /** Runs the commands of one call. Where one breaks off, nothing of the call is for the log: half an operation would be in it. */
  #run(checked: readonly CheckedCommand[], owner: string | undefined): Outcome[] {
    const behalf = this.#behalfOf(owner);
    const before = this.#pending();
    try {
      return checked.map((run) => run(behalf));
    } catch (error) {
      this.#brokenBy = { error };
      this.domain.flush();
      this.#feed.forgetFrom(before);
      throw error;
    }
  }

  /** The call waits its turn: with those that wait already, or as the first that others can join. */
  #enqueue(call: PendingCall): void {
    this.#mutex.checkRoom(this.#joined);
    if (this.#gathering !== undefined) {
      this.#gathering.push(call);
      this.#joined++;
      return;
    }
    const calls = (this.#gathering = [call]);
    void this.#mutex
      .run(call.owner ?? 'a caller', () => this.#serve(calls))
      .catch((error: unknown) => {
        for (const call of calls) call.refuse(error);
      });
  }

  /** Serves calls in their order, and answers each. Under the lock. */
  async #serve(calls: readonly PendingCall[]): Promise<void> {
    this.#joined -= calls.length - 1;
    if (this.#gathering === calls) this.#gathering = undefined;
    for (let done = 0; done < calls.length;) {
      try {
        // It may have been closed while they waited, or have broken off with one of them.
        this.#checkOpen();
        await this.#feed.catchUp();
      } catch (error) {
        this.#refuse(calls.slice(done), error);
        return;
      }
      done = await this.#serveSome(calls, done);
    }
  }

  /** Runs calls from `start` on, as many as are appended together; appends, and answers them. Returns the next. */
  async #serveSome(calls: readonly PendingCall[], start: number): Promise<number> {
    const served: PendingCall[] = [];
    let next = start;
    // At least one, however many events wait: a subscriber may make as many as are appended.
    const hasRoom = (): boolean => next === start || this.#pending() < GROUP_EVENTS;
    for (; next < calls.length && this.#brokenBy === undefined && hasRoom(); next++) {
      const call = calls[next]!;
      try {
        call.outcomes = this.#run(call.commands, call.owner);
        served.push(call);
      } catch (error) {
        this.#refuse([call], error);
      }
    }
    try {
      await this.#publish();
      for (const call of served) call.acknowledge();
    } catch (error) {
      this.#refuse(served, error);
    }
    return next;
  }

  #refuse(calls: readonly PendingCall[], error: unknown): void {
    const [first] = calls;
    if (first === undefined) return;
    this.#warn(first.owner ?? 'a caller', error, calls.length);
    for (const call of calls) call.refuse(error);
  }

  #warn(owner: string, error: unknown, callers = 1): void {
    const facts = { owner, error: String(error), ...(callers === 1 ? {} : { callers }) };
    this.#logger?.warn(facts, 'commands refused or not appended');
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

  #tooFarAhead(): P2mError {
    return new P2mError('capacity', 'too many events wait for the log', {
      got: String(this.#waitingEvents()),
      expected: `less than ${this.#pendingMax}`,
      hint: 'await flush() every few thousand calls',
    });
  }

  /** Events since the last append began. */
  #pending(): number {
    return this.#feed.pending + this.domain.batch.length;
  }

  /** Events that the log has not taken. */
  #waitingEvents(): number {
    return this.#feed.events + this.domain.batch.length;
  }

  /** Appends what is there, and tells of it. Under the lock. */
  async #publish(): Promise<void> {
    this.domain.flush();
    await this.#feed.append();
  }

  #tell(batch: EventBatch, seq: number): void {
    this.#logger?.debug({ owner: this.owner, seq, events: batch.length }, 'batch appended');
    this.#events.next(batch);
  }
}

function isList(asked: Command | readonly Command[]): asked is readonly Command[] {
  return Array.isArray(asked);
}

import type { EntryCodec, EventsHeader } from '../events/index.js';
import type { DomainOptions } from './domain.js';
import type { EngineLog, FeedState, Patience } from './log_feed.js';

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
  /** Most events of synchronous calls that may wait for the log, where one more `executeNow` is refused; default 2^22. */
  readonly pendingMax?: number;
  /** Bounds each wait for the log: `patience(ms)` of xen-p2m/node. Default: a caller waits for as long as the log takes. */
  readonly patience?: Patience;
  /** Events that the log has already: of an engine that goes on with it (`resumeEngine` of xen-p2m/node). Default 0. */
  readonly resumedAt?: number;
  readonly logger?: EngineLogger;
  /**
   * What time it is, in whole nanoseconds below 2^53, for the log to say when commands began: asked once a call, under the
   * lock. Default: the log has no times.
   */
  readonly clock?: () => number;
}

/**
 * What an engine is up to.
 *
 * - `open`: it takes commands, and its log has taken all that it was asked to.
 * - `behind`: the log refused events; it is asked again before anything else runs.
 * - `stalled`: the log has not answered in time; callers are refused until it does.
 * - `broken`: an operation broke off in its middle; it can be closed, that is all.
 * - `closed`: nothing runs any more.
 */
export type EngineState = FeedState | 'broken' | 'closed';

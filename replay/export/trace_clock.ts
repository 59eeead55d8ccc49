import { Clock, type StoredLog } from '../../events/index.js';
import { logClock } from '../audit/moment.js';

/** A log without times: each event one microsecond after the one before, so that its order is seen. */
const STEP_WITHOUT_TIMES_NS = 1000;

/**
 * Times for all events of a log, though it has but those when operations began. Each event is later than the one before,
 * the first at 0: an event is one nanosecond after the one before, or when its operation began where that is later. A log
 * without nanoseconds has a microsecond between two events.
 */
export class TraceClock {
  /** Whether the times are those of the log. */
  readonly isTimed: boolean;
  /** The time of the log, in nanoseconds, at 0. */
  readonly startNs: number;
  readonly #stepNs: number;
  #nowNs: number;

  constructor(log: StoredLog) {
    const found = logClock(log);
    this.isTimed = found?.clock === Clock.ns;
    this.#stepNs = this.isTimed ? 1 : STEP_WITHOUT_TIMES_NS;
    this.startNs = this.isTimed ? found!.first - found!.seq : 0;
    this.#nowNs = -this.#stepNs;
  }

  /** The time of the next event, in nanoseconds; `time` where the log tells when its operation began. */
  next(clock: number = Clock.none, time = 0): number {
    this.#nowNs += this.#stepNs;
    if (this.isTimed && clock === Clock.ns) this.#nowNs = Math.max(this.#nowNs, time - this.startNs);
    return this.#nowNs;
  }
}

import type { EntryCodec, EventBatch, EventsHeader } from '../../events/index.js';
import { FORMS, headerOf } from '../../src/index.js';
import type { Schedule } from '../explore/schedule.js';
import { THREAD_NAMES, type Scenario } from './scenario.js';
import { bootScenario } from './scenario_domain.js';
import { ScenarioThread } from './scenario_thread.js';

/** Who keeps the events: told what the head of their log must say, then of the events in order. */
export type ScheduleKeeper = (header: EventsHeader, codec: EntryCodec) => (batch: EventBatch) => void;

/**
 * Runs a schedule of a scenario in a domain of its own and hands on every event, those of the boot too: an ordinary event
 * log, in which the calls of the threads overlap.
 *
 * @param schedule fits the scenario's program; where it ends early, calls stay open
 * @param origin   what the events were made of, for the head of the log
 */
export function keepSchedule(scenario: Scenario, schedule: Schedule, origin: string, keeper: ScheduleKeeper): void {
  let keep: ((batch: EventBatch) => void) | undefined;
  const domain = bootScenario(scenario, (booting, batch) => {
    // A mutant has a name that no kernel has; what it is a mutant of has the same memory.
    const kernel = FORMS.find(({ tag }) => tag === scenario.form.tag)!.name;
    keep ??= keeper({ ...headerOf(booting, origin), kernel }, booting.memory.codec);
    keep(batch);
  });
  const threads = scenario.threads.map((operations, i) => {
    const thread = new ScenarioThread(domain, i, THREAD_NAMES[i]!, operations);
    thread.recorded = true;
    return thread;
  });
  for (const thread of threads) thread.settle();
  for (const agent of schedule) threads[agent]!.step();
  domain.flush();
}

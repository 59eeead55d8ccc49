/**
 * A step of a contestant of `bench/event_log.ts`, in a process of its own: `node step.js CONTESTANT STEP FOLDER EVENTS` does it
 * and prints the `Measured`, as JSON.
 */
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { LogHistory, PFNS } from '../works/log_history.js';
import { Seen, type LogContestant, type Questions } from './contestant.js';
import { CONTESTANTS, type Measure, type Measured, type StepName } from './contestants.js';

/** As long as questions are asked. */
const ASKED_MS = 1000;
/** Numbers of questions after which what was answered is summed up. */
const CHECKED = [1, 10, 100, 1000];
const MOMENTS_MAX = 64;

/** Wall clock and processor time of the stretches between `start` and `stop`. */
class Watch {
  wallNs = 0;
  cpuNs = 0;
  #wall = 0;
  #cpu = process.cpuUsage();

  start(): void {
    this.#cpu = process.cpuUsage();
    this.#wall = performance.now();
  }

  stop(): void {
    this.wallNs += (performance.now() - this.#wall) * 1e6;
    const { user, system } = process.cpuUsage(this.#cpu);
    this.cpuNs += (user + system) * 1e3;
  }

  async time<T>(work: () => T | Promise<T>): Promise<T> {
    this.start();
    const done = await work();
    this.stop();
    return done;
  }

  of(count: number, rest: Partial<Measure> = {}): Measure {
    return { count, wallNs: this.wallNs, cpuNs: this.cpuNs, ...rest };
  }
}

const STEPS: Readonly<
  Record<StepName, (contestant: LogContestant, folder: string, history: LogHistory) => Promise<Record<string, Measure>>>
> = {
  append: async (contestant, folder, history) => ({ append: await append(contestant, folder, history, false) }),
  'append, synced': async (contestant, folder, history) => ({
    'append, synced': await append(contestant, folder, history, true),
  }),
  async scan(contestant, folder) {
    const watch = new Watch();
    const seen = new Seen();
    await watch.time(() => contestant.scan(folder, seen));
    return { scan: watch.of(seen.count, { checks: [seen.count, seen.check] }) };
  },
  async verify(contestant, folder) {
    if (contestant.verify === undefined) return {};
    const watch = new Watch();
    const events = await watch.time(() => contestant.verify!(folder));
    return { verify: watch.of(events) };
  },
  async questions(contestant, folder, history) {
    if (contestant.ask === undefined) return {};
    const watch = new Watch();
    const questions = await watch.time(() => contestant.ask!(folder));
    const measures: Record<string, Measure> = {
      index: watch.of(history.events),
      'set by': await ask(
        (pfn) => questions.setBy(pfn),
        (seq) => Math.max(seq, history.beginning),
      ),
      history: await ask(
        (pfn) => questions.eventsOf(pfn),
        (seqs) => seqs.reduce((sum, seq) => sum + (seq < history.beginning ? 0 : seq), 0),
      ),
    };
    if (questions.stateAt !== undefined) measures['state at'] = states(questions, history.events);
    questions.close();
    return measures;
  },
  async recovery(contestant, folder, history) {
    if (contestant.crash === undefined) return {};
    const reopen = contestant.crash(folder, history);
    const watch = new Watch();
    const events = await watch.time(reopen);
    if (events <= 0 || events >= history.events)
      throw new Error(`a torn log of ${history.events} has ${events} events`);
    return { recovery: watch.of(1) };
  },
};

async function append(contestant: LogContestant, folder: string, history: LogHistory, sync: boolean): Promise<Measure> {
  const appender = await contestant.open(folder, history, sync);
  const watch = new Watch();
  const seen = new Seen();
  let seq = 0;
  for (const batch of history.batches()) {
    watch.start();
    const done = appender.append(batch, seq);
    if (done !== undefined) await done;
    watch.stop();
    seen.batch(batch, seq);
    seq += batch.length;
  }
  await watch.time(() => appender.flush());
  await appender.close();
  return watch.of(seq, { bytes: bytesIn(folder), checks: [seen.count, seen.check] });
}

/** Asks of pfns without order, for a second; `sumOf` is what of an answer must be the same for all contestants. */
async function ask<T>(question: (pfn: number) => T | Promise<T>, sumOf: (answer: T) => number): Promise<Measure> {
  const watch = new Watch();
  const checks: number[] = [];
  let sum = 0;
  let count = 0;
  let pfn = 1;
  const end = performance.now() + ASKED_MS;
  watch.start();
  do {
    for (let i = 0; i < (count < 1000 ? 1 : 100); i++) {
      pfn = (Math.imul(pfn, 0x9e3779b1) + 0x6a09e667) >>> 0;
      const answer = question((pfn >>> 8) % PFNS);
      sum += sumOf(answer instanceof Promise ? await answer : answer);
      count++;
      if (CHECKED.includes(count)) checks.push(sum);
    }
  } while (performance.now() < end);
  watch.stop();
  return watch.of(count, { checks });
}

/** Goes to moments without order, and notes how long each took. */
function states(questions: Questions, events: number): Measure {
  const watch = new Watch();
  const eachMs: number[] = [];
  let random = 1;
  const end = performance.now() + 2 * ASKED_MS;
  do {
    random = (Math.imul(random, 0x9e3779b1) + 0x6a09e667) >>> 0;
    const began = performance.now();
    watch.start();
    questions.stateAt!(Math.floor((random / 2 ** 32) * events));
    watch.stop();
    eachMs.push(performance.now() - began);
  } while (eachMs.length < MOMENTS_MAX && performance.now() < end);
  return watch.of(eachMs.length, { eachMs });
}

function bytesIn(folder: string): number {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0);
}

const [name, step, folder, events] = process.argv.slice(2);
const load = CONTESTANTS[name as keyof typeof CONTESTANTS];
const measures = await STEPS[step as StepName](await load(), folder!, new LogHistory(Number(events)));
const done: Measured = { measures, residentBytes: process.resourceUsage().maxRSS * 1024 };
process.stdout.write(`${JSON.stringify(done)}\n`);

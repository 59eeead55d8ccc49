import { Global } from '../../../events/index.js';
import type { CheckedRun, CheckFamily, EndedThread, PathEnd } from './check_family.js';

/** That a path ends as it should: BUG_ON (I4), and deadlock. */
export class EndChecks implements CheckFamily {
  readonly #run: CheckedRun;

  /** Before the run. */
  constructor(run: CheckedRun) {
    this.#run = run;
  }

  atEnd({ threads, isQuiet, found }: PathEnd): void {
    if (isQuiet) return;
    const dead = threads.findIndex(({ died }) => died);
    if (dead >= 0) found.raise('BUG_ON', () => this.#death(threads, dead));
    else found.raise('deadlock', () => this.#wait(threads));
  }

  #death(threads: readonly EndedThread[], thread: number): string {
    const { words, domain, scenario } = this.#run;
    const { state, bugHit, faultHit } = domain.cpus[thread]!;
    const operation = scenario.threads[thread]![Math.max(0, threads[thread]!.finished.length - 1)];
    const what = state === 'fault' ? `a page fault (${faultHit})` : `a kernel assertion (${bugHit})`;
    return `${words.operation(operation, thread)} ended in ${what}`;
  }

  #wait(threads: readonly EndedThread[]): string {
    const { words, domain } = this.#run;
    const waiting = threads.flatMap(({ at }, thread) => (at === undefined ? [] : [words.thread(thread)]));
    const owner = domain.global(Global.p2m_update_lock);
    const holds = owner === 0 ? 'nobody holds it' : `${words.thread(owner - 1)} holds it`;
    return `${waiting.join(' and ')} wait${waiting.length === 1 ? 's' : ''} for p2m_update_lock, and ${holds}: nobody can go on`;
  }
}

import { assert } from '../../events/index.js';
import { countOutcomes, smallAlgorithm, type SmallAgent } from '../../replay/index.js';
import { burst } from '../../replay/explore/burst.js';
import type { Work } from '../contest.js';

const RUNS = 20_000;
const SEARCHES = 3;

/** Random schedules of the small algorithm (design 7), each run to its end, judged, and taken back. */
export function randomSchedules(agents: readonly SmallAgent[]): Work {
  const program = smallAlgorithm('fixed', agents);
  return {
    run() {
      const { steps, hits } = burst(program, { runs: RUNS, picker: 'random', stopAtFirst: false });
      assert(hits === 0, 'the fixed form keeps its promises');
      return { count: RUNS, check: steps };
    },
  };
}

/** States of the small algorithm: every one visited, every interleaving counted. */
export function countedStates(agents: readonly SmallAgent[]): Work {
  const program = smallAlgorithm('fixed', agents);
  return {
    run() {
      let count = 0;
      for (let i = 0; i < SEARCHES; i++) count += countOutcomes(program).states;
      return { count, check: count };
    },
  };
}

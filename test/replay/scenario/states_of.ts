import { Random, StateHash, type Program, type StateSink } from '../../../replay/index.js';

/** Keeps the pairs of a state, those that `keep` says, as one text: equal sets of pairs are equal texts. */
export function stateText(program: Program, keep: (key: number) => boolean = () => true): string {
  const pairs = new Set<string>();
  const sink: StateSink = {
    add: (key, value) => {
      if (keep(key)) pairs.add(`${key}:${value}`);
    },
  };
  program.state(sink);
  return [...pairs].sort().join(' ');
}

/** The hash of the state in hand, as a text. */
export function hashText(program: Program): string {
  const hash = new StateHash();
  program.hash(hash);
  return hash.lanes.join(' ');
}

/** Walks random paths to their ends and back, and says each state that it comes to, there and on the way back. */
export function walkRandomly(program: Program, paths: number, seed: number, visit: () => void): void {
  const random = new Random(seed);
  visit();
  for (let path = 0; path < paths; path++) {
    let steps = 0;
    for (; ; steps++) {
      const able = program.ended ? [] : program.agents.flatMap(({ enabled }, agent) => (enabled ? [agent] : []));
      if (able.length === 0) break;
      program.step(able[random.below(able.length)]!);
      visit();
    }
    for (; steps > 0; steps--) {
      program.undo();
      visit();
    }
  }
}

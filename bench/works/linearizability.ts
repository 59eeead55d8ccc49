import { openSegmentedLog } from '../../node/index.js';
import { checkLogRegisters } from '../../replay/index.js';
import type { Setting, Work } from '../contest.js';
import { accessLog, type AccessMix } from './access_log.js';

/** The mixes whose checks are measured. */
export const ACCESS_MIXES: Readonly<Record<string, AccessMix>> = {
  'a million pfns alike': { skew: 'uniform', invalid: 0 },
  'Zipf, 30 % of the sets INVALID': { skew: 'zipf', invalid: 30 },
  'half on one pfn, 30 % of the sets INVALID': { skew: 'hot', invalid: 30 },
};

/** A tiny one is this much smaller. */
const TINY = 1000;

/** Checks that a log on disk of `operations` look-ups and sets is linearizable, from opening it to the verdict. */
export function linearizabilityChecks(operations: number, mix: AccessMix, { folder, tiny }: Setting): Work {
  const path = accessLog(folder, tiny ? Math.ceil(operations / TINY) : operations, mix);
  return {
    run() {
      const log = openSegmentedLog(path);
      const report = checkLogRegisters(log);
      log.close();
      const expected = mix.wrong === undefined ? 'ok' : 'violated';
      if (report.verdict !== expected) throw new Error(`${path}: got ${report.verdict}, want ${expected}`);
      return { count: report.operations, check: report.pfns };
    },
  };
}

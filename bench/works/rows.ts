import { mfnWord, type OperationName } from '../../events/index.js';
import type { Domain, DomainOptions, Machine } from '../../src/index.js';
import type { Work } from '../contest.js';
import { bootedDomain } from './domains.js';

const PFNS = 2 ** 16;
/** Odd, so that it reaches every pfn below a power of two, in an order that is not theirs. */
const STRIDE = 40_503;
const LEAVES_A_RUN = 2 ** 11;
const PER_PAGE = 512;

/** set_phys_to_machine on leaves that are private already: the balloon driver's everyday. */
export function setsOnPrivateLeaves(options: Partial<DomainOptions>): Work {
  const domain = bootedDomain({ nrPages: PFNS, ...options });
  let salt = 0;
  return {
    run() {
      salt ^= 1;
      let rows = 0;
      for (let i = 0; i < PFNS; i++) {
        const pfn = (i * STRIDE) % PFNS;
        rows += runCounted(domain, 'set_phys_to_machine', domain.machines.setPhysToMachine, pfn, mfnWord(pfn + salt));
      }
      return { count: rows, check: rows };
    },
  };
}

/** __pfn_to_mfn as rows, on populated entries. */
export function lookUpsByRows(options: Partial<DomainOptions>): Work {
  const domain = bootedDomain({ nrPages: PFNS, ...options });
  return {
    run() {
      let rows = 0;
      for (let i = 0; i < PFNS; i++) {
        const pfn = (i * STRIDE) % PFNS;
        rows += runCounted(domain, '__pfn_to_mfn', domain.machines.pfnToMfnRaw, pfn, 0);
      }
      return { count: rows, check: rows };
    },
  };
}

/**
 * set_phys_to_machine where the leaf is p2m_missing: a leaf is taken, filled and linked, one in 512 times with a PT page
 * and its mid page. Every run touches leaves that nobody has touched before.
 */
export function firstTouches(options: Partial<DomainOptions>): Work {
  const nrPages = LEAVES_A_RUN * PER_PAGE;
  // The first leaf is populated: a list begins with memory.
  const fresh = (): Domain => bootedDomain({ nrPages, ...options }, [{ pfnStart: PER_PAGE, pfnEnd: nrPages }]);
  let domain = fresh();
  return {
    prepare() {
      domain = fresh();
    },
    run() {
      let rows = 0;
      for (let leaf = 1; leaf < LEAVES_A_RUN; leaf++) {
        const pfn = leaf * PER_PAGE + (leaf % PER_PAGE);
        rows += runCounted(domain, 'set_phys_to_machine', domain.machines.setPhysToMachine, pfn, mfnWord(pfn));
      }
      return { count: rows, check: rows };
    },
  };
}

/** Runs an operation a row at a time, as any picker does, its events recorded; gives the number of rows. */
function runCounted(domain: Domain, operation: OperationName, machine: Machine, pfn: number, value: number): number {
  const cpu = domain.cpus[0]!;
  let rows = 0;
  domain.begin(operation, machine, pfn, value);
  while (cpu.state === 'running') {
    cpu.step();
    rows++;
  }
  domain.end(operation);
  return rows;
}

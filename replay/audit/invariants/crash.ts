import { ACCESSES, BUGS, KINDS } from '../../../events/index.js';
import type { Breach, Happened, Invariant } from './invariant.js';

/** I4: nobody runs into a kernel assertion, or a fault that nothing fixes up. */
export const BUG_ON: Invariant = {
  holds: 'no kernel assertion is hit, and no load or store faults for good (I4)',
  kinds: ['bug', 'fault'],
  watch: ({ words }) => ({
    begin: () => undefined,
    after: ({ batch, row, seq }: Happened): Breach => {
      const pfn = words.pfn(batch.c[row]! * 2 ** 32 + (batch.b[row]! >>> 0));
      const says =
        batch.kind[row] === KINDS.bug.id
          ? `CPU ${batch.cpu[row]} has hit a kernel assertion (${BUGS[batch.a[row]!]}) at pfn ${pfn}, and stops`
          : `CPU ${batch.cpu[row]} has ended in a page fault (${ACCESSES[batch.a[row]!]}) at pfn ${pfn}`;
      return { seq, says };
    },
  }),
};

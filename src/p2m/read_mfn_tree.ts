import { Global } from '../../events/index.js';
import { rows, type Machine } from '../machine.js';
import { NO_PAGE } from '../memory/pte.js';

/** A reader found no list that it could read: no frame list list, or the list changed under it. */
export const UNREADABLE = -1;

const W1 = 0;
const W2 = 1;
const W3 = 2;
const W4 = 3;

/**
 * `read_mfn_tree`: a tool reads the three-level tree, from shared info down, and emits the frame of each leaf (spec 8, 4.8).
 * Returns how many, or UNREADABLE where shared info names no tree. It runs beside the domain, without a lock.
 *
 * Of identical top entries at the end only the first is followed: they are one shared mid page, all invalid. Each top
 * entry is read once; those that repeat the last one wait until a different one follows.
 */
export const readMfnTree: Machine = {
  name: 'read_mfn_tree',
  rows: rows(
    ['8', 'R shared_info max_pfn'],
    ['8', 'R shared_info pfn_to_mfn_frame_list_list'],
    ['8', 'R top[i]'],
    ['8', 'R mid[j]'],
  ),
  step(r, cpu) {
    const { port, geometry: g } = cpu;
    switch (r.pc) {
      case W1: {
        const leaves = Math.ceil(port.global(Global['shared_info.max_pfn']) / g.perPage);
        r.end = Math.min(leaves, g.topPerPage * g.midPerPage);
        return W2;
      }
      case W2:
        r.page0 = port.global(Global['shared_info.pfn_to_mfn_frame_list_list']);
        return r.page0 <= NO_PAGE ? cpu.ret(UNREADABLE) : W3;
      case W3:
        if (r.i * g.midPerPage >= r.end) return cpu.ret(r.leaf);
        r.seen = port.loadMid(r.page0, r.i++);
        return r.seen === r.mid ? W3 : W4;
      case W4:
      default: {
        // r.leaf is the number of the next leaf; those of the entries that repeated r.mid come first.
        const repeatedEnd = (r.i - 1) * g.midPerPage;
        if (r.leaf === repeatedEnd) r.mid = r.seen;
        port.emit(port.loadMid(r.mid, r.leaf++ % g.midPerPage));
        return r.leaf === Math.min(r.i * g.midPerPage, r.end) ? W3 : W4;
      }
    }
  },
};

import { MIXES, mixText, parseMix, type Mix } from './mix.js';
import { parseSkew, skewText, type Skew } from './skew.js';

/**
 * What the threads of a stress run do. Look-ups may be of any pfn, as in the kernel. Who maps grants or balloons does it with
 * pfns of its own, as drivers do; so does who sets, unless `share`.
 */
export interface Workload {
  readonly mix: Mix;
  readonly skew: Skew;
  /** Threads set the same pfns, those of the balloons included: no caller in the kernel does, and the list must bear it. */
  readonly share: boolean;
}

/** A workload as a command line gives it. */
export interface WorkloadText {
  readonly mix?: string | undefined;
  readonly skew?: string | undefined;
  /** Default: with the mix `sets`, and on one hot leaf. */
  readonly share?: boolean | undefined;
}

/** The workload of the texts; default: the mix `default`, uniform. @throws P2mError (usage) */
export function workloadOf({ mix = 'default', skew = 'uniform', share }: WorkloadText): Workload {
  const parsed = { mix: parseMix(mix), skew: parseSkew(skew) };
  return { ...parsed, share: share ?? sharesByItself(parsed) };
}

/** The texts that `workloadOf` reads back. */
export function workloadText({ mix, skew, share }: Workload): Required<WorkloadText> {
  return { mix: mixText(mix), skew: skewText(skew), share };
}

function sharesByItself({ mix, skew }: Omit<Workload, 'share'>): boolean {
  return skew.kind === 'hot-leaf' || mixText(mix) === mixText(MIXES.sets);
}

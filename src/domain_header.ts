import type { EventsHeader } from '../events/index.js';
import type { Domain } from './domain.js';
import { layOut } from './memory/layout.js';

/** The header of a log that begins with the domain's first event: what a player needs to build the same memory. */
export function headerOf(domain: Domain, origin?: string): EventsHeader {
  const { geometry, form, memory } = domain;
  const { cpus, pools, initPages, areaPfns, m2pFrames, pagesPerPool } = memory.layout;
  const nrPages = initPages * geometry.perPage;
  const without = layOut({ geometry, nrPages, areaPfns, cpus, pools, m2pFrames, sparePages: 0 }, false);
  return {
    geometry: geometry.name,
    kernel: form.name,
    entryBits: geometry.entryBits,
    capacity: { nrPages, areaPfns, cpus, pools, sparePages: pagesPerPool - without.pagesPerPool, m2pFrames },
    ...(origin === undefined ? {} : { origin }),
  };
}

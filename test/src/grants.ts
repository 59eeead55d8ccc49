import { Grant, kernelOps, type Domain, type Form, type Outcome } from '../../src/index.js';
import type { GeometryName } from '../../src/index.js';
import { bootedDomain, type Range } from './domains.js';

/** A grant slot as its map hypercall left it; a status is 0 where it mapped. */
export interface Slot {
  readonly pfn: number;
  readonly mfn: number;
  readonly status?: number;
  readonly kernelStatus?: number;
}

/** What the kernel mapping's hypercall does: there is none, it runs, or it fails as a whole with this errno. */
export type Kernel = false | true | number;

/** What is to be seen of a slot. */
export interface Seen {
  readonly entry: string;
  readonly status: number;
  readonly handle: number;
  readonly kernelMapped: boolean;
}

/** Pfns that the domain builder left out and that tests map grants to: whole mid pages of them. */
export const HOLE: Readonly<Record<'tiny' | 'x86_64', Range>> = { tiny: [16, 48], x86_64: [2 ** 18, 3 * 2 ** 18] };

/** A booted domain with HOLE in the middle of its list, an m2p of 2048 frames, and pages below 64 the same on both geometries. */
export function grantDomain(
  kernel: string | Form,
  memory: 'paged' | 'flat' = 'paged',
  geometry: 'tiny' | 'x86_64' = 'tiny',
): Domain {
  const nrPages = geometry === 'tiny' ? 64 : 4 * 2 ** 18;
  return bootedDomain({
    kernel,
    geometry: geometry satisfies GeometryName,
    memory,
    nrPages,
    holes: [HOLE[geometry]],
    m2pFrames: 2048,
  });
}

/** set_foreign_p2m_mapping of these slots; handles count from 100. Gives its errno. */
export function mapGrants(d: Domain, slots: readonly Slot[], kernel: Kernel = false): number {
  slots.forEach((slot, i) => {
    d.setGrant(i, Grant.pfn, slot.pfn);
    d.setGrant(i, Grant.mfn, slot.mfn);
    d.setGrant(i, Grant.status, slot.status ?? 0);
    d.setGrant(i, Grant.kernelStatus, slot.kernelStatus ?? 0);
    d.setGrant(i, Grant.handle, 100 + i);
    d.setGrant(i, Grant.savedEntry, 0);
    d.setGrant(i, Grant.kernelMapped, 0);
  });
  return errno(d.run('set_foreign_p2m_mapping', d.machines.setForeignP2mMapping, 0, ops(kernel), slots.length));
}

/** clear_foreign_p2m_mapping of the first `count` slots that mapGrants filled. Gives its errno. */
export function unmapGrants(d: Domain, count: number, kernel: Kernel = false): number {
  return errno(d.run('clear_foreign_p2m_mapping', d.machines.clearForeignP2mMapping, 0, ops(kernel), count));
}

/** The first `count` slots as they stand. */
export function seen(d: Domain, count: number): Seen[] {
  return Array.from({ length: count }, (_, i) => ({
    entry: entry(d, d.grant(i, Grant.pfn)),
    status: d.grant(i, Grant.status),
    handle: d.grant(i, Grant.handle),
    kernelMapped: d.grant(i, Grant.kernelMapped) !== 0,
  }));
}

/** What __pfn_to_mfn answers, as the vectors write it. */
export function entry(d: Domain, pfn: number): string {
  const outcome = d.run('__pfn_to_mfn', d.machines.pfnToMfnRaw, pfn);
  return outcome.kind === 'word' ? d.memory.codec.format(outcome.value) : outcome.kind;
}

/** What mfn_to_pfn answers. */
export function pfnOf(d: Domain, mfn: number): number {
  return value(d.run('mfn_to_pfn', d.machines.mfnToPfn, mfn), 'count');
}

function ops(kernel: Kernel): number {
  return kernel === false ? 0 : kernelOps(kernel === true ? 0 : kernel);
}

function errno(outcome: Outcome): number {
  return value(outcome, 'errno');
}

function value(outcome: Outcome, kind: 'count' | 'errno'): number {
  if (outcome.kind !== kind) throw new Error(`got ${JSON.stringify(outcome)}, want a result of kind ${kind}`);
  return outcome.value;
}

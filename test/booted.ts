import { expect } from 'vitest';
import { KINDS, mfnWord, type EventBatch } from '../events/index.js';
import {
  alignUp,
  bootSequence,
  Domain,
  entryRuns,
  formByKernel,
  GEOMETRIES,
  lookUp,
  planEnd,
  structure,
  type BootPlan,
  type Form,
  type GeometryName,
} from '../src/index.js';

/** Pages of 4 KiB. */
export const PAGES_PER_GIB = 2 ** 18;
export const PAGES_PER_MIB = 2 ** 8;
/** Frame of pfn 0; pfn p has the p-th after it. */
export const FIRST_MFN = 1000;

/** What `p2m boot` would be told. */
export type Plan = Omit<BootPlan, 'firstEntry'>;

/** An event, as far as a question needs it. */
export interface Seen {
  readonly kind: number;
  readonly a: number;
  readonly b: number;
  readonly c: number;
}

/** A domain booted in the kernel's order, as `p2m boot` does, with what happened on the way. */
export class Booted {
  readonly domain: Domain;
  readonly seen: Seen[] = [];

  constructor(kernel: string | Form, plan: Plan, geometry: GeometryName = 'x86_64', p2mLimitPfns = 0) {
    const bootPlan = { ...plan, firstEntry: mfnWord(FIRST_MFN) };
    this.domain = new Domain({
      form: typeof kernel === 'string' ? formByKernel(kernel) : kernel,
      geometry: GEOMETRIES[geometry],
      nrPages: plan.nrPages,
      maxPfn: planEnd(bootPlan),
      p2mLimitPfns,
      onEvents: (batch) => {
        seeEvents(this.seen, batch);
      },
    });
    for (const { name, outcome } of bootSequence(this.domain, bootPlan)) {
      expect({ name, kind: outcome.kind }).toEqual({
        name,
        kind: name === 'set_phys_range_identity' ? 'count' : 'void',
      });
    }
    this.domain.flush();
  }

  global(index: number): number {
    return this.domain.global(index);
  }

  dump(pfnStart: number, pfnEnd: number): ReturnType<typeof dump> {
    return dump(this.domain, pfnStart, pfnEnd);
  }

  look(...pfns: number[]): string[] {
    return look(this.domain, ...pfns);
  }

  /** set_phys_to_machine: `true`, `false` or `BUG name`. */
  set(pfn: number, value: string): string {
    const { machines, memory } = this.domain;
    const outcome = this.domain.run('set_phys_to_machine', machines.setPhysToMachine, pfn, memory.codec.parse(value));
    if (outcome.kind === 'bug') return `BUG ${outcome.bug}`;
    return outcome.kind === 'bool' ? String(outcome.value !== 0) : outcome.kind;
  }

  /** What was written to a global, in order. */
  written(global: number): number[] {
    return this.seen.filter(({ kind, a }) => kind === KINDS.set_global.id && a === global).map(({ c }) => c);
  }

  /** Place of the first event of a kind with this first operand, and third. */
  place(kind: number, a: number, c?: number): number {
    return this.seen.findIndex((event) => event.kind === kind && event.a === a && (c === undefined || event.c === c));
  }

  privateLeaves(): number {
    return structure(this.domain.memory).leaves.reduce((n, [, count, name]) => n + (name.includes('#') ? count : 0), 0);
  }
}

/** A domain no further than its first kernel function, on a builder's list that has old frames behind its end too. */
export function tookOver(form: Form, geometry: GeometryName, nrPages: number): { domain: Domain; seen: Seen[] } {
  const seen: Seen[] = [];
  const domain = new Domain({
    form,
    geometry: GEOMETRIES[geometry],
    nrPages,
    onEvents: (batch) => {
      seeEvents(seen, batch);
    },
  });
  const ended = domain.boot(nrPages, [[alignUp(nrPages, domain.geometry.perPage), mfnWord(FIRST_MFN), 1]]);
  expect(ended.kind).toBe('void');
  domain.flush();
  return { domain, seen };
}

/** Look-ups of [pfnStart, pfnEnd) as runs: `[start, kind]`, with the first entry where the kind does not say it. */
export function dump(d: Domain, pfnStart: number, pfnEnd: number): (readonly (string | number)[])[] {
  return entryRuns(d.memory, pfnStart, pfnEnd).map((run) =>
    run.kind === 'missing' || run.kind === 'identity' || run.kind === 'fault'
      ? [run.start, run.kind]
      : [run.start, run.kind, d.memory.codec.format(run.first)],
  );
}

/** What __pfn_to_mfn answers, as the vectors write it. */
export function look(d: Domain, ...pfns: number[]): string[] {
  return pfns.map((pfn) => {
    const outcome = d.run('__pfn_to_mfn', d.machines.pfnToMfnRaw, pfn);
    if (outcome.kind === 'bug') return `BUG ${outcome.bug}`;
    if (outcome.kind === 'fault') return 'FAULT';
    expect(lookUp(d.memory, pfn)).toBe(outcome.value);
    return d.memory.codec.format(outcome.value);
  });
}

/** Events are of the batch only until it is cleared. */
function seeEvents(seen: Seen[], batch: EventBatch): void {
  for (let i = 0; i < batch.length; i++) {
    seen.push({ kind: batch.kind[i]!, a: batch.a[i]!, b: batch.b[i]!, c: batch.c[i]! });
  }
}

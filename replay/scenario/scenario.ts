import { z } from 'zod';
import { EntryCodec, inputError, P2mError } from '../../events/index.js';
import { formByKernel, geometryByName, type Form, type Geometry } from '../../src/index.js';

const pfn = z.int().nonnegative();
const decimal = z.string().regex(/^\d{1,15}$/, 'want a decimal number in a string');

/** An operation of a thread (vectors/README.md, "concurrency"). */
const operationSchema = z.union([
  z.tuple([z.literal('set'), pfn, z.string()]),
  z.tuple([z.literal('lookup'), pfn]),
  z.tuple([z.literal('get'), pfn]),
]);

const layoutSchema = z.union([
  z.tuple([z.enum(['hole', 'identity']), decimal, decimal]),
  z.tuple([z.enum(['limit', 'nr']), decimal]),
  z.tuple([z.literal('notree')]),
]);

/** A scenario as JSON has it; a concurrency vector is one, with what it led to beside it. */
export const scenarioSchema = z.looseObject({
  /** A kernel form; with the suffix `-pae`, on x86_32 PAE. */
  kernel: z.string(),
  layout: z.array(layoutSchema),
  threads: z.array(z.array(operationSchema).nonempty()).nonempty().max(26),
  /** Look-ups before the run, by pfn: its keys are the watched pfns. */
  initial: z.record(decimal, z.string()),
});

/** One operation: what, pfn, and what `set` stores. */
export type ScenarioOperation = z.infer<typeof operationSchema>;

/** Few operations on a domain laid out for them, a thread a CPU. */
export interface Scenario {
  readonly form: Form;
  readonly geometry: Geometry;
  /** Entries of the domain builder's list: mfn 1000 + pfn, but for `ranges`, of which a later one lies over an earlier. */
  readonly nrPages: number;
  readonly ranges: readonly { readonly missing: boolean; readonly pfnStart: number; readonly pfnEnd: number }[];
  /** P2M_LIMIT, in pfns. */
  readonly limitPfns: number;
  /** Whether the tools' tree is built and the shared info page set up. */
  readonly tree: boolean;
  readonly threads: readonly (readonly ScenarioOperation[])[];
  /** Watched pfns, ascending. */
  readonly watch: readonly number[];
}

/** Names of the threads, in their order. */
export const THREAD_NAMES = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ';

const NR_PAGES = { 64: 1_310_720, 32: 4_194_304 } as const;

/** The scenario that the parsed JSON describes. @throws P2mError (bad input) for an unknown kernel, a bad range or value */
export function scenarioOf(json: z.infer<typeof scenarioSchema>): Scenario {
  const { form, geometry } = kernelOf(json.kernel);
  let nrPages: number = NR_PAGES[geometry.entryBits];
  let limitPfns = 0;
  let tree = true;
  const ranges: { missing: boolean; pfnStart: number; pfnEnd: number }[] = [];
  for (const entry of json.layout) {
    switch (entry[0]) {
      case 'nr':
        nrPages = Number(entry[1]);
        break;
      case 'limit':
        limitPfns = Number(entry[1]) * geometry.pfnsPerGib;
        break;
      case 'notree':
        tree = false;
        break;
      case 'hole':
      case 'identity': {
        const [pfnStart, pfnEnd] = [Number(entry[1]), Number(entry[2])];
        if (pfnStart > pfnEnd) {
          throw inputError('bad range in the layout', {
            got: entry.join(' '),
            expected: 'a start that is not above the end',
          });
        }
        ranges.push({ missing: entry[0] === 'hole', pfnStart, pfnEnd });
      }
    }
  }
  checkValues(json.threads, geometry);
  const watch = Object.keys(json.initial)
    .map(Number)
    .sort((a, b) => a - b);
  return { form, geometry, nrPages, ranges, limitPfns, tree, threads: json.threads, watch };
}

/** `3.19-rc1b` is 3.19-rc1 with B2 switched off; `-pae` is the geometry. */
function kernelOf(kernel: string): { form: Form; geometry: Geometry } {
  const name = kernel.replace(/-pae$/, '');
  try {
    const form =
      name === '3.19-rc1b' ? { ...formByKernel('3.19-rc1'), name, secondPmdPopulated: true } : formByKernel(name);
    if (form.structure === 'tree') throw inputError('the old tree is not explored yet');
    return { form, geometry: geometryByName(name === kernel ? 'x86_64' : 'x86_32') };
  } catch (error) {
    if (!(error instanceof P2mError)) throw error;
    throw inputError(error.message);
  }
}

function checkValues(threads: Scenario['threads'], geometry: Geometry): void {
  const codec = new EntryCodec(geometry.entryBits);
  for (const [kind, pfn, value] of threads.flat()) {
    if (pfn >= geometry.pfnEnd) {
      throw inputError('bad pfn', { got: String(pfn), expected: `below ${geometry.pfnEnd}` });
    }
    if (kind !== 'set') continue;
    try {
      codec.parse(value);
    } catch (error) {
      if (!(error instanceof P2mError)) throw error;
      throw inputError(error.message);
    }
  }
}

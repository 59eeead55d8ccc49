import { z } from 'zod';
import { EntryCodec, inputError, P2mError } from '../../events/index.js';
import { formByKernel, geometryByName, type Form, type Geometry } from '../../src/index.js';
import { CHECKS, THREAD_NAMES, type LayoutEntry, type Scenario, type ScenarioOperation } from './scenario.js';

const pfn = z.union([
  z.int().nonnegative(),
  z
    .string()
    .regex(/^(0x[0-9a-fA-F]{1,13}|\d{1,15})$/, 'want a pfn, hex or decimal')
    .transform(Number),
]);
const decimal = z.string().regex(/^\d{1,15}$/, 'want a decimal number in a string');

/** An operation of a thread (vectors/README.md, "concurrency"; `rawSet` and `alloc` are ours). */
const operationSchema = z.union(
  [z.tuple([z.enum(['set', 'rawSet']), pfn, z.string()]), z.tuple([z.enum(['lookup', 'get', 'alloc']), pfn])],
  'want ["set" or "rawSet", pfn, value] or ["lookup", "get" or "alloc", pfn]',
);

const layoutSchema = z.union(
  [
    z.tuple([z.enum(['hole', 'identity']), decimal, decimal]),
    z.tuple([z.enum(['limit', 'nr']), decimal]),
    z.tuple([z.literal('notree')]),
  ],
  'want ["hole" or "identity", start, end], ["nr" or "limit", count] or ["notree"], numbers as decimal strings',
);

const ignored = z.unknown().optional();

/** A scenario as JSON has it. A concurrency vector is one: what it led to is ignored. No other field is allowed. */
export const scenarioSchema = z.strictObject({
  /** A kernel version or form; with the suffix `-pae`, on x86_32 PAE. */
  kernel: z.string(),
  geometry: z.string().optional(),
  layout: z.array(layoutSchema),
  threads: z.array(z.array(operationSchema).nonempty()).nonempty().max(THREAD_NAMES.length),
  /** Watched pfns; default: those that the threads name, and others that a mistake may change with them. */
  watch: z.array(pfn).optional(),
  fail: z.strictObject({ at: z.int().positive().optional(), from: z.int().positive().optional() }).optional(),
  /** What it is held to; default: everything. */
  check: z.array(z.enum(CHECKS)).nonempty().optional(),
  /** Look-ups before the run, by pfn, in a vector: its keys are the watched pfns. */
  initial: z.record(decimal, z.string()).optional(),
  // The other fields of a vector.
  scenario: ignored,
  format: ignored,
  states: ignored,
  maxSteps: ignored,
  interleavings: ignored,
  violating: ignored,
  outcomes: ignored,
});

/** Scenario as its JSON describes it, before kernel and values were looked up. */
export type ScenarioJson = z.infer<typeof scenarioSchema>;

/** Mid pages that the list fills where no layout says how long it is: 5 GiB, or 16 GiB under PAE. */
const MID_PAGES = { 64: 5, 32: 4 } as const;

/** Reads the text of a scenario. @throws P2mError (bad input) with the field where it is not one */
export function readScenario(text: string, file: string): Scenario {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw inputError('bad JSON in a scenario', { file, got: (error as Error).message });
  }
  const result = scenarioSchema.safeParse(json);
  if (!result.success) {
    const issue = result.error.issues[0]!;
    throw inputError('bad scenario', { file, got: `${issue.path.join('.') || 'the whole'}: ${issue.message}` });
  }
  try {
    return scenarioOf(result.data);
  } catch (error) {
    if (!(error instanceof P2mError)) throw error;
    throw inputError(error.message, { file });
  }
}

/** The scenario that the parsed JSON describes. @throws P2mError (bad input) for an unknown kernel, a bad range or value */
export function scenarioOf(json: ScenarioJson): Scenario {
  const { form, geometry } = kernelOf(json.kernel, json.geometry);
  const layout = readLayout(json.layout, geometry);
  checkOperations(json.threads, geometry);
  const { threads } = json;
  const watch = json.watch ?? (json.initial === undefined ? undefined : Object.keys(json.initial).map(Number));
  return {
    kernel: json.kernel,
    form,
    geometry,
    layout: json.layout,
    ...layout,
    threads,
    watch: ascending(watch ?? watched(threads, layout.nrPages, geometry)),
    fail: { at: json.fail?.at ?? 0, from: json.fail?.from ?? 0 },
    check: json.check === undefined ? CHECKS : CHECKS.filter((name) => json.check!.includes(name)),
    machines: {},
  };
}

/** The scenario as JSON that `scenarioOf` reads back to the same; machines of one's own are not in it. */
export function scenarioJson(scenario: Scenario): ScenarioJson {
  const { kernel, geometry, layout, threads, watch, fail, check } = scenario;
  return {
    kernel,
    ...(kernel.endsWith('-pae') || geometry.name === 'x86_64' ? {} : { geometry: geometry.name }),
    layout: layout.map((entry) => [...entry] as ScenarioJson['layout'][number]),
    threads: threads.map((thread) => thread.map((operation) => [...operation])) as unknown as ScenarioJson['threads'],
    watch: [...watch],
    ...(fail.at > 0 || fail.from > 0
      ? { fail: { ...(fail.at > 0 ? { at: fail.at } : {}), ...(fail.from > 0 ? { from: fail.from } : {}) } }
      : {}),
    ...(check.length === CHECKS.length ? {} : { check: [...check] as [(typeof CHECKS)[number]] }),
  };
}

function readLayout(
  entries: readonly LayoutEntry[],
  geometry: Geometry,
): Pick<Scenario, 'nrPages' | 'limitPfns' | 'tree' | 'ranges'> {
  let nrPages = MID_PAGES[geometry.entryBits] * geometry.pfnsPerMidPage;
  let limitPfns = 0;
  let tree = true;
  const ranges: { missing: boolean; pfnStart: number; pfnEnd: number }[] = [];
  for (const entry of entries) {
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
  return { nrPages, limitPfns, tree, ranges };
}

/** `3.19-rc1b` is 3.19-rc1 with B2 switched off; `-pae` is the geometry. */
function kernelOf(kernel: string, geometry: string | undefined): { form: Form; geometry: Geometry } {
  const name = kernel.replace(/-pae$/, '');
  try {
    const form =
      name === '3.19-rc1b' ? { ...formByKernel('3.19-rc1'), name, secondPmdPopulated: true } : formByKernel(name);
    if (name !== kernel && geometry !== undefined && geometryByName(geometry).name !== 'x86_32') {
      throw inputError('two geometries', { got: `${kernel} and ${geometry}`, expected: 'one of them' });
    }
    return { form, geometry: geometryByName(geometry ?? (name === kernel ? 'x86_64' : 'x86_32')) };
  } catch (error) {
    if (!(error instanceof P2mError)) throw error;
    throw inputError(error.message);
  }
}

function checkOperations(threads: Scenario['threads'], geometry: Geometry): void {
  const codec = new EntryCodec(geometry.entryBits);
  for (const operation of threads.flat()) {
    const pfn = operation[1];
    if (pfn >= geometry.pfnEnd) {
      throw inputError('bad pfn', { got: String(pfn), expected: `below ${geometry.pfnEnd}` });
    }
    if (operation.length === 2) continue;
    try {
      codec.parse(operation[2]);
    } catch (error) {
      if (!(error instanceof P2mError)) throw error;
      throw inputError(error.message);
    }
  }
}

/**
 * The pfns that are watched where nobody says which: those that the threads name, and beside each that is written the
 * neighbour in its leaf and the pfns of the same index under the PMDs beside it: whom a mistake in the leaf, in the PT
 * page or in a page shared by all would change too.
 */
export function watched(threads: Scenario['threads'], nrPages: number, { pfnsPerPtePage }: Geometry): number[] {
  const operations: readonly ScenarioOperation[] = threads.flat();
  const beside = operations
    .filter(([kind]) => kind !== 'lookup' && kind !== 'get')
    .flatMap(([, pfn]) => [pfn % 2 === 0 ? pfn + 1 : pfn - 1, pfn - pfnsPerPtePage, pfn + pfnsPerPtePage]);
  return [...operations.map(([, pfn]) => pfn), ...beside.filter((pfn) => pfn >= 0 && pfn < nrPages)];
}

function ascending(pfns: readonly number[]): number[] {
  return [...new Set(pfns)].sort((a, b) => a - b);
}

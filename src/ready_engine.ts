import { usageError } from '../events/index.js';
import type { ListState } from './adopt.js';
import { bootSequence, planEnd, type BootPlan, type BootStep } from './boot_sequence.js';
import { wordOf, type EntryValue } from './command.js';
import { Engine } from './engine.js';
import type { EngineOptions } from './engine_options.js';
import { formByKernel, NEWEST, type Form } from './forms.js';
import { GEOMETRIES, geometryByName, type Geometry } from './geometry.js';

/** What every engine may be told, kernel and geometry by name. */
export interface ReadyEngineOptions extends Omit<EngineOptions, 'form' | 'geometry' | 'nrPages' | 'maxPfn'> {
  /** A kernel version, the name of a form, or a form; default the newest. */
  readonly kernel?: string | Form;
  /** Default x86_64. */
  readonly geometry?: string | Geometry;
}

/** What a domain that boots may be told besides. */
export interface BootEngineOptions extends ReadyEngineOptions, Omit<BootPlan, 'firstEntry'> {
  /** Entry of pfn 0; that of pfn p is the p-th after it. Default `m:1000`. */
  readonly firstEntry?: EntryValue;
}

const FIRST_ENTRY = 'm:1000';

/**
 * An engine whose domain has booted, in the kernel's order (`bootSequence`). The events of the boot are the first of its
 * log: they are appended with the first batch, or by `flush`.
 * @throws {P2mError} code `usage`: no such kernel or geometry, a bad plan, or a plan with which this kernel does not come up
 */
export function bootEngine(options: BootEngineOptions): Engine {
  const { firstEntry = FIRST_ENTRY, nrPages, holes, identity, extra, startFlags, ...rest } = options;
  const plan = { nrPages, ...given({ holes, identity, extra, startFlags }) };
  const engine = new Engine({ ...named(rest), nrPages, maxPfn: planEnd({ ...plan, firstEntry: 0 }) });
  const word = wordOf(engine.codec, firstEntry, 'firstEntry');
  const last = bootSequence(engine.domain, { ...plan, firstEntry: word }).at(-1)!;
  if (last.outcome.kind === 'bug' || last.outcome.kind === 'fault') throw doesNotBoot(last, engine);
  return engine;
}

/**
 * An engine whose domain has the list of a running kernel, as a dump shows it (`listStateOf` of xen-p2m/replay). Words of
 * the state belong to `options.codec`.
 * @throws {P2mError} code `usage`: no such kernel or geometry, or a list that does not fit it
 */
export function adoptEngine(options: ReadyEngineOptions, state: ListState): Engine {
  const engine = new Engine({ ...named(options), nrPages: 1, maxPfn: state.size });
  engine.domain.adopt(state);
  return engine;
}

function named<T extends ReadyEngineOptions>(
  options: T,
): Omit<T, 'kernel' | 'geometry'> & { form: Form; geometry: Geometry } {
  const { kernel = NEWEST, geometry = GEOMETRIES.x86_64, ...rest } = options;
  return {
    ...rest,
    form: typeof kernel === 'string' ? formByKernel(kernel) : kernel,
    geometry: typeof geometry === 'string' ? geometryByName(geometry) : geometry,
  };
}

function doesNotBoot({ name, outcome }: BootStep, { domain }: Engine): Error {
  return usageError('the domain does not come up', {
    got: `${name} ends in ${JSON.stringify(outcome)} on kernel ${domain.form.name}, ${domain.geometry.name}`,
    expected: 'a plan that this kernel boots with',
    hint: 'bootSequence of a Domain stops there and shows it',
  });
}

/** Only what is there: an absent fact is not a fact of value undefined. */
function given<T extends object>(facts: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}

import { P2mError, usageError } from '../../events/index.js';
import { scenarioOf, scenarioSchema } from './read_scenario.js';
import type { Scenario } from './scenario.js';

/** A scenario as a command line gives it. */
export interface InlineScenario {
  readonly kernel: string;
  readonly geometry?: string | undefined;
  /** `hole 1024 786432; notree`, any number of them. */
  readonly layout: readonly string[];
  /** `set 0x402 m:77; get 0x402`, a text a thread. */
  readonly threads: readonly string[];
  /** Pfns, hex or decimal. */
  readonly watch?: readonly string[] | undefined;
  readonly failAt?: number | undefined;
  readonly failFrom?: number | undefined;
  readonly check?: readonly string[] | undefined;
}

/** Numbers of arguments of what a layout or a thread may hold. */
const LAYOUT_ARGUMENTS: Readonly<Record<string, number>> = { hole: 2, identity: 2, limit: 1, nr: 1, notree: 0 };
const OPERATION_ARGUMENTS: Readonly<Record<string, number>> = { set: 2, rawSet: 2, lookup: 1, get: 1, alloc: 1 };

const NUMBER = /^(0[xX][0-9a-fA-F]+|\d+)$/;

/** The scenario that the texts describe; numbers are hex or decimal. @throws P2mError (usage) with the piece that is wrong */
export function inlineScenario(inline: InlineScenario): Scenario {
  const layout = inline.layout
    .flatMap((text) => pieces(text))
    .map((piece) =>
      words(piece, '--layout', LAYOUT_ARGUMENTS).map((word, i) => (i === 0 ? word : decimal(word, piece))),
    );
  const threads = inline.threads.map((text) => {
    const operations = pieces(text).map((piece) => {
      const [kind, pfn, ...value] = words(piece, '--thread', OPERATION_ARGUMENTS);
      return [kind, Number(decimal(pfn!, piece)), ...value];
    });
    if (operations.length === 0) {
      throw usageError('a thread that does nothing', { got: `--thread '${text}'`, expected: operationsWanted() });
    }
    return operations;
  });
  if (threads.length === 0) {
    throw usageError('a scenario with no thread', { expected: "one --thread 'set 0x402 m:77; get 0x402' or more" });
  }
  const { failAt, failFrom } = inline;
  const json = scenarioSchema.safeParse({
    kernel: inline.kernel,
    ...(inline.geometry === undefined ? {} : { geometry: inline.geometry }),
    layout,
    threads,
    ...(inline.watch === undefined ? {} : { watch: inline.watch.map((pfn) => Number(decimal(pfn, '--watch'))) }),
    ...(failAt === undefined && failFrom === undefined ? {} : { fail: { at: failAt, from: failFrom } }),
    ...(inline.check === undefined ? {} : { check: inline.check }),
  });
  if (!json.success) {
    const issue = json.error.issues[0]!;
    throw usageError('bad scenario', { got: `${issue.path.join('.')}: ${issue.message}` });
  }
  try {
    return scenarioOf(json.data);
  } catch (error) {
    if (!(error instanceof P2mError)) throw error;
    throw usageError(error.message);
  }
}

/** A thread's operations as an inline thread gives them, which `inlineScenario` reads back. */
export function inlineThread(thread: Scenario['threads'][number]): string {
  return thread
    .map(([kind, pfn, value]) => [kind, `0x${pfn.toString(16)}`, ...(value === undefined ? [] : [value])].join(' '))
    .join('; ');
}

function pieces(text: string): string[] {
  return text
    .split(';')
    .map((piece) => piece.trim())
    .filter((piece) => piece !== '');
}

function words(piece: string, option: string, known: Readonly<Record<string, number>>): string[] {
  const [first, ...rest] = piece.split(/\s+/);
  const wanted = Object.hasOwn(known, first!) ? known[first!] : undefined;
  if (wanted === undefined || rest.length !== wanted) {
    const expected =
      option === '--thread' ? operationsWanted() : 'hole START END, identity START END, nr COUNT, limit GIB or notree';
    throw usageError(`bad piece of ${option}`, { got: JSON.stringify(piece), expected });
  }
  return [first!, ...rest];
}

function operationsWanted(): string {
  return 'set PFN VALUE, rawSet PFN VALUE, lookup PFN, get PFN or alloc PFN, with ; between them';
}

function decimal(word: string, piece: string): string {
  if (!NUMBER.test(word)) {
    throw usageError(`bad number in ${piece}`, { got: JSON.stringify(word), expected: 'hex or decimal' });
  }
  return String(Number(word));
}

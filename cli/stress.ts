import { availableParallelism } from 'node:os';
import type { Command } from 'commander';
import { Interrupted, TemporaryFolder } from '../node/temporary_folder.js';
import { ExitCode, usageError } from '../events/index.js';
import { parseChaos, stressLayout, workloadOf, workloadText, type Untouched } from '../replay/index.js';
import { formByKernel, geometryByName, NEWEST } from '../src/index.js';
import { parseNumber } from './numbers.js';
import { note, print } from './output.js';
import { quoted } from './quoted.js';
import type { RoundPlan } from './stress_round.js';
import { StressSession } from './stress_session.js';
import { planLine, tallyJson, tallyText } from './stress_text.js';

interface StressOptions {
  readonly kernel: string;
  readonly mutant?: string;
  readonly geometry: string;
  readonly memory: string;
  readonly pfns?: string;
  readonly untouched?: string;
  readonly regions?: string;
  readonly threads?: string;
  readonly seconds: string;
  readonly operations: string;
  readonly rounds?: string;
  readonly mix: string;
  readonly skew: string;
  readonly share?: boolean;
  readonly chaos: string;
  readonly kill: string;
  readonly failAt?: string;
  readonly failFrom?: string;
  readonly keepGoing?: boolean;
  readonly seed?: string;
  readonly output?: string;
  readonly json?: boolean;
}

const THREADS_MAX = 64;
const SECONDS_MAX = 86_400;
const OPERATIONS_MAX = 2 ** 28;
const UNTOUCHED = ['missing', 'identity', 'both'] as const;

/** `p2m stress`: real threads on one shared memory. */
export function addStress(program: Command): void {
  program
    .command('stress')
    .description('run the kernel operations on real threads over one shared memory, and judge what came of it')
    .option('--kernel <version>', 'kernel form', NEWEST.name)
    .option('--mutant <name>', 'put a mistake into the kernel (p2m explore --mutate all lists them)')
    .option('--geometry <name>', 'x86_64, x86_32 (PAE), tiny or tiny-pae', 'x86_64')
    .option('--memory <kind>', 'paged or flat', 'paged')
    .option('--pfns <n>', 'pfns of the list that are populated, for the balloon and for grants; default 1 GiB of them')
    .option('--untouched <kind>', 'what first touches find: missing, identity or both leaves')
    .option('--regions <n>', 'untouched leaves, PMDs or top entries; when they are used up, the round is over')
    .option('--threads <n>', 'threads, one a CPU of the domain; default: the CPUs there are, 2 to 8')
    .option('--seconds <s>', 'how long the threads run, all rounds together', '5')
    .option('--operations <n>', 'most operations of a thread in a round', '250000')
    .option('--rounds <n>', 'most rounds; default: as many as the time allows')
    .option(
      '--mix <mix>',
      'default, sets, look-ups, balloon, grants, leaves, pmds, tops, or look-up=60,set=30,...',
      'default',
    )
    .option('--skew <skew>', 'uniform, zipf, zipf:0.9 or hot-leaf', 'uniform')
    .option('--share', 'threads set the same pfns; so by itself with the mix sets and on a hot leaf')
    .option('--chaos <percent>', 'rows after which a thread pauses, to widen windows', '0')
    .option('--kill <n>', 'threads that are killed in the middle of what they do, in each round', '0')
    .option('--fail-at <n>', 'the n-th attempt to allocate fails')
    .option('--fail-from <n>', 'the n-th attempt to allocate and all later ones fail')
    .option('--keep-going', 'go on where all that a round has broken is a defect of the gallery, or follows one')
    .option('--seed <n>', 'of the operations and pauses; default: chosen, and printed')
    .option('-o, --output <log>', 'keep the log of the last round: FILE.p2mlog, or a folder of segments')
    .option('--json', 'one JSON object instead of text')
    .addHelpText(
      'after',
      `
Operations of a mix: look-up, set (to a value that nothing else sets), clear, identity, balloon-down, balloon-up, grant,
touch, touch-pmd, touch-top (sets where nothing is private yet: many threads meet there).
Each round is a fresh domain with a log of its own; it is judged when it is over: order of the log, linearizability of each
pfn, invariants at rest, pages and events counted. The first round that breaks ends the run.
Exit: 0 ok, 1 violated, 2 usage, 3 bad input, 4 no verdict.

Examples:
  p2m stress
  p2m stress --kernel 3.19-rc1 --mix pmds --threads 4
  p2m stress --mutant leaf-recheck-dropped --mix leaves --chaos 5
  p2m stress --mix look-up=90,set=10 --skew zipf --memory flat -o run.p2mlog`,
    )
    .action(async (options: StressOptions) => {
      process.exitCode = await run(options);
    });
}

async function run(options: StressOptions): Promise<number> {
  const plan = planOf(options);
  const seed = options.seed === undefined ? chosenSeed() : parseNumber(options.seed, '--seed', 2 ** 31);
  const again = commandOf(options, plan, seed);
  const folder = new TemporaryFolder('stress');
  try {
    const { path, signal } = folder;
    const session = new StressSession({
      ...{ plan, seed, folder: path, signal, output: options.output, keepGoing: options.keepGoing === true },
      seconds: positive(options.seconds, '--seconds', SECONDS_MAX),
      roundsMax: options.rounds === undefined ? Infinity : whole(options.rounds, '--rounds', 2 ** 31),
      kills: parseNumber(options.kill, '--kill', plan.threads + 1),
    });
    if (options.json !== true) print(`${planLine(plan, seed)}\n`);
    await session.run();
    const { tally } = session;
    if (options.json === true) print(JSON.stringify(tallyJson(tally, plan, seed, again), null, 2));
    else for (const line of tallyText(tally, again)) print(line);
    return { ok: ExitCode.ok, violated: ExitCode.violated, unknown: ExitCode.noVerdict }[tally.verdict];
  } catch (error) {
    if (!(folder.signal.reason instanceof Interrupted)) throw error;
    note(`${folder.signal.reason.message}; ${again}`);
    return folder.signal.reason.exitCode;
  } finally {
    folder.remove();
  }
}

function planOf(options: StressOptions): RoundPlan {
  const { mix, skew, share, mutant, memory, untouched } = options;
  const form = formByKernel(options.kernel);
  const geometry = geometryByName(options.geometry);
  const workload = workloadOf({ mix, skew, share });
  if (memory !== 'paged' && memory !== 'flat') {
    throw usageError('unknown memory', { got: JSON.stringify(memory), expected: 'paged or flat' });
  }
  if (untouched !== undefined && !isUntouched(untouched)) {
    throw usageError('unknown kind of leaf', { got: JSON.stringify(untouched), expected: UNTOUCHED.join(', ') });
  }
  const layout = stressLayout({
    form,
    geometry,
    mix: workload.mix,
    pfns: options.pfns === undefined ? undefined : parseNumber(options.pfns, '--pfns', 2 ** 30),
    untouched,
    regions: options.regions === undefined ? undefined : whole(options.regions, '--regions', 2 ** 30),
  });
  return {
    layout,
    workload,
    threads: options.threads === undefined ? defaultThreads() : whole(options.threads, '--threads', THREADS_MAX),
    memory,
    mutant,
    operations: whole(options.operations, '--operations', OPERATIONS_MAX),
    chaos: parseChaos(options.chaos),
    failAt: options.failAt === undefined ? 0 : whole(options.failAt, '--fail-at', 2 ** 31),
    failFrom: options.failFrom === undefined ? 0 : whole(options.failFrom, '--fail-from', 2 ** 31),
  };
}

function isUntouched(text: string): text is Untouched {
  return (UNTOUCHED as readonly string[]).includes(text);
}

/** As many as there are CPUs, at least two: one thread races with nobody. */
function defaultThreads(): number {
  return Math.min(Math.max(availableParallelism(), 2), 8);
}

function chosenSeed(): number {
  return Math.floor(Math.random() * 2 ** 31);
}

/** A whole number from 1 to `max`. */
function whole(text: string, what: string, max: number): number {
  const value = parseNumber(text, what, max + 1);
  if (value < 1) throw usageError(`${what} out of range`, { got: text, expected: `1 to ${max}` });
  return value;
}

function positive(text: string, what: string, max: number): number {
  const value = /^\d+(\.\d+)?$/.test(text) ? Number(text) : NaN;
  if (!(value > 0 && value <= max)) {
    throw usageError(`bad ${what}`, { got: JSON.stringify(text), expected: `more than 0, at most ${max}` });
  }
  return value;
}

/** The command that does the same operations and pauses again; which threads win is not in anybody's hands. */
function commandOf(options: StressOptions, plan: RoundPlan, seed: number): string {
  const { mix, skew, share } = workloadText(plan.workload);
  const given: readonly (readonly [string, string | undefined])[] = [
    ['kernel', options.kernel],
    ['mutant', options.mutant],
    ['geometry', options.geometry],
    ['memory', options.memory],
    ['pfns', options.pfns],
    ['untouched', options.untouched],
    ['regions', options.regions],
    ['threads', String(plan.threads)],
    ['seconds', options.seconds],
    ['operations', options.operations],
    ['rounds', options.rounds],
    ['mix', mix],
    ['skew', skew],
    ['chaos', options.chaos === '0' ? undefined : options.chaos],
    ['kill', options.kill === '0' ? undefined : options.kill],
    ['fail-at', options.failAt],
    ['fail-from', options.failFrom],
    ['seed', String(seed)],
  ];
  const words = given.flatMap(([name, value]) => (value === undefined ? [] : [`--${name} ${quoted(value)}`]));
  const flags = [...(share ? ['--share'] : []), ...(options.keepGoing === true ? ['--keep-going'] : [])];
  return ['p2m stress', ...words, ...flags].join(' ');
}

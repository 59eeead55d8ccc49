#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { AssertionError, ExitCode, P2mError } from '../events/index.js';
import { note } from './output.js';

type AddVerb = (program: Command) => void;

/** The verbs, in the order of the help. Each is loaded only where it is needed: loading takes longer than many a replay. */
const VERBS: Readonly<Record<string, () => Promise<AddVerb>>> = {
  replay: async () => (await import('./replay.js')).addReplay,
  'record-script': async () => (await import('./record_script.js')).addRecordScript,
  explore: async () => (await import('./explore.js')).addExplore,
  stress: async () => (await import('./stress.js')).addStress,
  check: async () => (await import('./check.js')).addCheck,
  gallery: async () => (await import('./gallery.js')).addGallery,
  export: async () => (await import('./export.js')).addExport,
  conform: async () => (await import('./conform.js')).addConform,
  boot: async () => (await import('./boot.js')).addBoot,
  log: async () => (await import('./log.js')).addLog,
  show: async () => (await import('./show.js')).addShow,
  blame: async () => (await import('./blame.js')).addBlame,
  stats: async () => (await import('./stats.js')).addStats,
  verify: async () => (await import('./verify.js')).addVerify,
  seal: async () => (await import('./seal.js')).addSeal,
  repair: async () => (await import('./repair.js')).addRepair,
  pack: async () => (await import('./pack.js')).addPack,
  at: async () => (await import('./at.js')).addAt,
  diff: async () => (await import('./diff.js')).addDiff,
  bisect: async () => (await import('./bisect.js')).addBisect,
  bench: async () => (await import('./bench.js')).addBench,
};

/** The verb that the first argument names, none for the version; all of them where it says neither. */
function verbsFor(first = ''): Promise<AddVerb[]> {
  const named = Object.hasOwn(VERBS, first) ? VERBS[first] : undefined;
  if (named !== undefined) return Promise.all([named()]);
  if (first === '--version' || first === '-V') return Promise.resolve([]);
  return Promise.all(Object.values(VERBS).map((load) => load()));
}

/** The version in package.json, which stands above both the sources and dist/. */
function version(): string {
  for (const path of ['../package.json', '../../package.json']) {
    try {
      const found = JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8')) as { version: string };
      return found.version;
    } catch {
      // Not this far up: cli/ or dist/cli/.
    }
  }
  return 'unknown';
}

async function program(): Promise<Command> {
  const p2m = new Command('p2m')
    .description(
      'The Xen PV p2m list of Linux: replay recordings, explore interleavings, ask logs, compare with golden vectors',
    )
    .version(version())
    .showHelpAfterError('(p2m --help, or p2m VERB --help)')
    .exitOverride()
    .addHelpText(
      'after',
      `
Exit codes: 0 ok, 1 violated (a finding), 2 usage, 3 bad input, 4 no verdict, 130 interrupted.
Data on stdout, messages on stderr; logs with P2M_LOG=debug.`,
    );
  for (const add of await verbsFor(process.argv[2])) add(p2m);
  for (const command of p2m.commands) command.exitOverride();
  return p2m;
}

function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? ExitCode.ok : ExitCode.usage;
  if (error instanceof P2mError) {
    note(`error: ${error.message}`);
    return error.exitCode;
  }
  if (error instanceof AssertionError)
    note(`This is a bug of p2m, not of your input. Please report it with what follows.`);
  note(error instanceof Error ? (error.stack ?? error.message) : String(error));
  return 70;
}

// No handler of SIGINT: one would wait for the end of what runs, where the signal itself ends it, which shells call 130.
try {
  await (await program()).parseAsync();
} catch (error) {
  process.exitCode = exitCodeOf(error);
}

#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { AssertionError, ExitCode, P2mError } from '../events/index.js';
import { addBoot } from './boot.js';
import { addConform } from './conform.js';
import { note } from './output.js';
import { addRecordScript } from './record_script.js';
import { addReplay } from './replay.js';

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

function program(): Command {
  const p2m = new Command('p2m')
    .description('The Xen PV p2m list of Linux: replay recordings, compare with golden vectors, run operations by hand')
    .version(version())
    .showHelpAfterError('(p2m --help, or p2m VERB --help)')
    .exitOverride()
    .addHelpText(
      'after',
      `
Exit codes: 0 ok, 1 violated (a finding), 2 usage, 3 bad input, 4 no verdict, 130 interrupted.
Data on stdout, messages on stderr; logs with P2M_LOG=debug.`,
    );
  addReplay(p2m);
  addRecordScript(p2m);
  addConform(p2m);
  addBoot(p2m);
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
  await program().parseAsync();
} catch (error) {
  process.exitCode = exitCodeOf(error);
}

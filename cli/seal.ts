import type { Command } from 'commander';
import { ExitCode, inputError } from '../events/index.js';
import { openSegmentedLog } from '../node/kept_log.js';
import { counted } from './counted.js';
import { note, print } from './output.js';

/** `p2m seal LOG`: the head of its chain. */
export function addSeal(program: Command): void {
  program
    .command('seal')
    .description(
      'print the head of the chain over a binary log: who keeps it can tell later that nothing before it has changed',
    )
    .argument('<log>', 'a .p2mlog file, or a folder of segments; it may still grow')
    .option('--json', '{head, events, closed}')
    .addHelpText(
      'after',
      `
The head is a SHA-256 over all that stands in the log so far. Keep it where nobody who writes the log can write; check with
p2m verify LOG --head HASH. seal trusts the checksums of the log; verify checks every byte.
Exit: 0, 3 no log, or a damaged or torn one.

Example:
  p2m seal run.p2mlog > run.head`,
    )
    .action((path: string, { json = false }: { readonly json?: boolean }) => {
      const log = openSegmentedLog(path);
      const { end, events, head } = log;
      if (end.kind === 'torn')
        throw inputError('nobody seals a torn log', { ...end.place, got: end.why, hint: 'p2m repair' });
      if (json) print(JSON.stringify({ head, events, closed: end.kind === 'closed' }));
      else print(head);
      note(`${path}: ${counted(events, 'event')}${end.kind === 'closed' ? '' : ', not closed'}`);
      process.exitCode = ExitCode.ok;
    });
}

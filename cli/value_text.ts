import type { EntryCodec } from '../events/index.js';
import type { EntryRun } from '../src/index.js';

/** Runs that are told of a value; JSON has all. */
const RUNS_TOLD = 2;

/** What look-ups answer: `m:77`, `m:77..` for values that count up, `m:77,+3` where other runs follow. */
export function valueText(codec: EntryCodec, runs: readonly EntryRun[]): string {
  const told = runs.slice(0, RUNS_TOLD).map((run) => runText(codec, run));
  return `${told.join(',')}${runs.length > RUNS_TOLD ? `,+${runs.length - RUNS_TOLD}` : ''}`;
}

function runText(codec: EntryCodec, { kind, first, start, count }: EntryRun): string {
  if (kind === 'missing') return '~';
  if (kind === 'fault') return 'fault';
  const word = kind === 'identity' ? codec.identityOf(start) : first;
  return `${codec.format(word)}${count > 1 ? '..' : ''}`;
}

/** As `valueText`, all of it. */
export function runsJson(codec: EntryCodec, runs: readonly EntryRun[]): object[] {
  return runs.map(({ start, count, kind, first }) => {
    const hasValue = kind !== 'missing' && kind !== 'identity' && kind !== 'fault';
    return { pfn: start, count, kind, ...(hasValue ? { first: codec.toHex(first) } : {}) };
  });
}

import type { StoredLog } from '../events/index.js';
import { counted } from './counted.js';
import { note } from './output.js';

/** Notes, beside the answer, that the log may go on: it was not closed, or its end is torn. */
export function noteEnd({ name, end, events }: StoredLog): void {
  if (end.kind === 'open') note(`note: ${name} is not closed: this is of the ${events} events so far`);
  if (end.kind !== 'torn') return;
  const { line, byte } = end.place;
  const where = line !== undefined ? ` in line ${line}` : byte === undefined ? '' : ` from byte ${byte} on`;
  note(
    `note: ${name} is torn${where}: its last ${counted(end.bytes, 'byte')} are no whole ${line === undefined ? 'block' : 'line'}; this is of the ${events} events before them`,
  );
}

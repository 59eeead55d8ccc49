import type { StoredLog } from '../events/index.js';
import { note } from './output.js';

/** Notes, beside the answer, that the log may go on: it was not closed, or its end is torn. */
export function noteEnd({ name, end, events }: StoredLog): void {
  if (end.kind === 'open') note(`note: ${name} is not closed: this is of the ${events} events so far`);
  if (end.kind !== 'torn') return;
  const where = end.place.byte === undefined ? '' : ` from byte ${end.place.byte} on`;
  note(
    `note: ${name} is torn${where}: ${end.bytes} bytes are no whole block; this is of the ${events} events before them`,
  );
}

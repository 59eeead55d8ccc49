import { EventType, type History } from './history.js';

/**
 * The events of a history that say something of its registers, key by key (Horn and Kroening 2015: a history of registers
 * is linearizable where that of each register is). Left out are operations that failed, which had no effect, and reads of
 * which nobody knows what they returned.
 */
export class KeyEvents {
  /** By key: where its events begin in `events`; one more for the end. */
  readonly starts: Int32Array;
  /** In real-time order: an operation where it begins, ~operation where it is ok. */
  readonly events: Int32Array;

  constructor(history: History) {
    const { events, key } = history.arrange();
    const { cells } = events;
    const starts = new Int32Array(history.keys.count + 1);
    for (let event = 0; event < events.length; event++) {
      if (tells(history, cells[event]!)) starts[key.cells[cells[event]! >> 2]! + 1]!++;
    }
    for (let k = 1; k < starts.length; k++) starts[k]! += starts[k - 1]!;
    this.starts = starts;
    this.events = new Int32Array(starts.at(-1)!);
    const next = starts.slice();
    for (let event = 0; event < events.length; event++) {
      if (!tells(history, cells[event]!)) continue;
      const operation = cells[event]! >> 2;
      const at = next[key.cells[operation]!]!++;
      this.events[at] = (cells[event]! & 3) === EventType.invoke ? operation : ~operation;
    }
  }

  /** The events of one key. */
  of(key: number): Int32Array {
    return this.events.subarray(this.starts[key], this.starts[key + 1]);
  }
}

function tells(history: History, event: number): boolean {
  const type = event & 3;
  const outcome = history.outcome.cells[event >> 2]!;
  if (outcome === EventType.ok) return type === EventType.invoke || type === EventType.ok;
  // It may have taken effect. A read has none.
  const mayHave = outcome === EventType.invoke || outcome === EventType.info;
  return mayHave && type === EventType.invoke && history.mayWrite(event >> 2);
}

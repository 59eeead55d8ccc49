import { EVENT_NAMES, EventType, OPERATION_NAMES, OperationKind, type History } from './history.js';

/** A history in Jepsen's JSON form, as `readHistory` reads it, in real-time order. */
export function printHistory(history: History): string {
  return [...historyLines(history)].join('');
}

/** The lines of `printHistory`, for a history that is too long for one text. */
export function* historyLines(history: History): Generator<string, void, undefined> {
  const { events, times, isTimed } = history.arrange();
  // Lines of one register carry no key.
  const isKeyed = history.keys.count > 1 || (history.keys.count === 1 && history.keys.name(0) !== null);
  for (let i = 0; i < events.length; i++) {
    const operation = events.cells[i]! >> 2;
    const type = events.cells[i]! & 3;
    const f = OPERATION_NAMES[history.kind.cells[operation]!]!;
    let line = `{"process":${JSON.stringify(history.processes.name(history.process.cells[operation]!))}`;
    line += `,"type":"${EVENT_NAMES[type]!}","f":"${f}"`;
    if (isKeyed) line += `,"key":${JSON.stringify(history.keys.name(history.key.cells[operation]!))}`;
    line += `,"value":${valueText(history, operation, type)}`;
    if (isTimed) line += `,"time":${times[i]}`;
    yield `${line}}\n`;
  }
}

function valueText({ kind, value, expected, values }: History, operation: number, type: number): string {
  const text = (cells: Int32Array): string => JSON.stringify(values.name(cells[operation]!));
  if (kind.cells[operation] === OperationKind.cas) return `[${text(expected.cells)},${text(value.cells)}]`;
  // Of a read, only a return says what it returned.
  const isUnknown = kind.cells[operation] === OperationKind.read && type !== EventType.ok;
  return isUnknown ? 'null' : text(value.cells);
}

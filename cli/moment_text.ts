import { Clock, kindAt, type StoredLog } from '../events/index.js';
import { loggedOperationOf, operationName, taskText, timeText, type LoggedOperation } from '../replay/index.js';
import { counted } from './counted.js';
import { hex } from './numbers.js';

/** The moment in words: the last event that has happened, its operation, task and time. */
export function momentText(log: StoredLog, moment: number): string {
  if (moment === 0) return `before the first of ${counted(log.events, 'event')}`;
  return `after ${eventText(log, moment - 1)}`;
}

/** `event 131 (set_pte) of set_phys_to_machine 0x40002, operation 5, on CPU 1, task balloon-17, at @87.520279`. */
export function eventText(log: StoredLog, seq: number): string {
  const block = log.blockOf(seq);
  const batch = log.read(block);
  const kind = kindAt(batch, seq - log.seqOf(block));
  const operation = loggedOperationOf(log, seq);
  const facts = [`event ${seq} (${kind}) of ${ownerText(operation, kind === 'origin')}`];
  if (operation?.task !== undefined) facts.push(`task ${taskText(operation.task)}`);
  const origin = operation?.origin;
  if (origin !== undefined && origin.clock !== Clock.none) facts.push(`at @${timeText(origin.clock, origin.time)}`);
  return facts.join(', ');
}

function ownerText(operation: LoggedOperation | undefined, isOrigin: boolean): string {
  if (operation === undefined) return 'no operation';
  const { op, cpu, call } = operation;
  if (call !== undefined) return `${operationName(operation)} ${hex(call.pfn)}, operation ${op}, on CPU ${cpu}`;
  return `operation ${op}, ${isOrigin ? 'whose call is next' : 'whose call the log has not'}, on CPU ${cpu}`;
}

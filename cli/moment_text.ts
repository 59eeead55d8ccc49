import { Clock, CLOCKS, type StoredLog } from '../events/index.js';
import { contextOf, timeText, type EventContext } from '../replay/index.js';
import { hex } from './numbers.js';

/** The moment in words: the last event that has happened, its operation, task and time. */
export function momentText(log: StoredLog, moment: number): string {
  if (moment === 0) return `before the first of ${log.events} events`;
  return `after ${eventText(contextOf(log, moment - 1))}`;
}

/** `event 131 (set_pte) of set_phys_to_machine 0x40002 on CPU 1, task balloon (17), at @87.520279`. */
export function eventText({ event, call, origin, task }: EventContext): string {
  const parts = [`event ${event.seq} (${event.kind})`];
  if (event.op === 0) parts.push('of no operation');
  else if (call === undefined) parts.push(`of operation ${event.op}, whose call the log has not, on CPU ${event.cpu}`);
  else parts.push(`of ${call.operation} ${hex(call.pfn)}, operation ${event.op}, on CPU ${event.cpu}`);
  let text = parts.join(' ');
  if (task !== undefined) text += `, task ${task.comm} (${task.pid})`;
  if (origin !== undefined && origin.clock !== CLOCKS[Clock.none]) {
    text += `, at @${timeText(Clock[origin.clock], origin.time)}`;
  }
  return text;
}

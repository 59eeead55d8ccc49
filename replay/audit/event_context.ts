import { KINDS, viewEvent, type EventBatch, type EventOf, type P2mEvent, type StoredLog } from '../../events/index.js';

const CALL = KINDS.call.id;
const TASK = KINDS.task.id;

/** An event with the operation that it is of, as far as the log says it. */
export interface EventContext {
  readonly event: P2mEvent;
  readonly call: EventOf<'call'> | undefined;
  readonly origin: EventOf<'origin'> | undefined;
  /** The task that the operation's CPU ran when it began. */
  readonly task: EventOf<'task'> | undefined;
}

/** Event `seq`, 0 <= seq < log.events, with what stands before it of its operation: as far back as that is. */
export function contextOf(log: StoredLog, seq: number): EventContext {
  const block = log.blockOf(seq);
  const batch = log.read(block);
  const row = seq - log.seqOf(block);
  const event = viewEvent(batch, row, log.codec, seq);
  const { op, cpu } = event;
  const isOf =
    (kind: number) =>
    (other: EventBatch, i: number): boolean =>
      other.kind[i] === kind && other.op[i] === op;
  const call = op === 0 ? undefined : (before(log, seq, isOf(CALL)) as EventOf<'call'> | undefined);
  if (call === undefined) return { event, call, origin: undefined, task: undefined };
  const last = call.seq === 0 ? undefined : before(log, call.seq - 1, () => true);
  const origin = last?.kind === 'origin' && last.op === op ? last : undefined;
  const task = before(log, call.seq, (other, i) => other.kind[i] === TASK && other.cpu[i] === cpu);
  return { event, call, origin, task: task as EventOf<'task'> | undefined };
}

/** The last event up to `seq` that is wanted. */
function before(log: StoredLog, seq: number, wanted: (batch: EventBatch, i: number) => boolean): P2mEvent | undefined {
  for (let block = log.blockOf(seq); block >= 0; block--) {
    const batch = log.read(block);
    const start = log.seqOf(block);
    for (let i = Math.min(batch.length - 1, seq - start); i >= 0; i--) {
      if (wanted(batch, i)) return viewEvent(batch, i, log.codec, start + i);
    }
  }
  return undefined;
}

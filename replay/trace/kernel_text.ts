import { LOST_UNKNOWN, type TraceLine, type TraceNames } from './trace_line.js';
import { readDecimal } from './trace_number.js';
import { blanks, blanksBack, digitsBack } from './trace_text.js';

/**
 * What the kernel's own text and trace-cmd's have in common: `TASK-PID`, and how a loss is told.
 *
 *     CPU:1 [LOST 123 EVENTS]         the kernel
 *     CPU:1 [123 EVENTS DROPPED]      trace-cmd report; both leave out a count that they do not know
 */

const OPEN = 0x28;
const CLOSE = 0x29;
const MINUS = 0x2d;

/** Digits of the largest pid, and more. */
const PID_DIGITS_MAX = 9;

const hi = new Uint32Array(1);
const lo = new Uint32Array(1);

/** Reads `TASK-PID` or `TASK-PID (TGID)`, which ends before `at`, blanks between, into `line`. */
export function readKernelTask(
  bytes: Uint8Array,
  start: number,
  at: number,
  line: TraceLine,
  names: TraceNames,
): boolean {
  let end = blanksBack(bytes, start, at);
  if (end > start && bytes[end - 1] === CLOSE) {
    // (TGID), which is "(-------)" where it is not known; only behind a pid, so what it holds need not be looked at.
    while (end > start && bytes[end - 1] !== OPEN) end--;
    if (end === start) return false;
    end = blanksBack(bytes, start, end - 1);
  }
  const pid = digitsBack(bytes, start, end);
  if (pid === end || end - pid > PID_DIGITS_MAX || pid === start || bytes[pid - 1] !== MINUS) return false;
  const task = blanks(bytes, start, pid - 1);
  // A hole in the file is no name, though names may hold nearly anything.
  if (bytes.subarray(task, pid - 1).includes(0)) return false;
  readDecimal(bytes, pid, end, hi, lo, 0);
  line.pid = lo[0]!;
  line.task = names.tasks.intern(bytes, task, pid - 1);
  return true;
}

const LOSS = /^(?:.*: +| +)?CPU:(\d{1,6}) \[(?:LOST (?:(\d{1,15}) )?EVENTS|(?:(\d{1,15}) )?EVENTS DROPPED)\]\s*$/;

/** Reads a line that says that events of a CPU are missing; trace-cmd prints a file's name first where it reads several. */
export function readLossLine(text: string, line: TraceLine): boolean {
  const match = LOSS.exec(text);
  if (match === null) return false;
  const count = match[2] ?? match[3];
  line.cpu = Number(match[1]);
  line.lost = count === undefined ? LOST_UNKNOWN : Number(count);
  return true;
}

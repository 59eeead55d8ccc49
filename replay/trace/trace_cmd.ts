import { EventLineDecoder } from './event_line.js';
import { readKernelTask, readLossLine } from './kernel_text.js';
import type { TraceLine } from './trace_line.js';
import { LineKind } from './trace_reader.js';
import { blanks, isDigit, textOf } from './trace_text.js';

/**
 * The text of `trace-cmd report`, and of `trace-cmd report -l`, whose heads are narrower:
 *
 *     cpus=2
 *          xen-balloon-41    [001]    75.650682: __set_phys_to_machine_ret: (ffffffff81021d10 <- ffffffff81661385) ret=1
 *     xen-ball-41      1.N...    75.650682: __set_phys_to_machine_ret: (ffffffff81021d10 <- ffffffff81661385) ret=1
 *     CPU:1 [123 EVENTS DROPPED]
 *
 * Addresses are not looked up, and of a return the function comes first. `-t` prints nanoseconds, `--ts-diff` the
 * difference in parentheses behind the time. The text has no count of its events.
 */

const BLANK = 0x20;
const OPEN = 0x28;
const CLOSE = 0x29;

/** Decodes the text of `trace-cmd report`. */
export class TraceCmdDecoder extends EventLineDecoder {
  readonly format = 'trace-cmd report';
  protected readonly lineShape = 'TASK-PID [CPU] TIME: EVENT: ...';

  protected readTask(bytes: Uint8Array, start: number, at: number, line: TraceLine): boolean {
    return readKernelTask(bytes, start, at, line, this.names);
  }

  /** `TASK-PID CPUFLAGS`, the flags right behind the CPU. */
  protected override readBareHead(bytes: Uint8Array, start: number, end: number, line: TraceLine): number {
    for (let cpu = start + 1; cpu < end; cpu++) {
      if (bytes[cpu - 1] !== BLANK || !isDigit(bytes[cpu]!)) continue;
      let flags = cpu;
      while (flags < end && isDigit(bytes[flags]!)) flags++;
      let head = flags;
      while (head < end && bytes[head] !== BLANK) head++;
      const number = this.readSmall(bytes, cpu, flags);
      if (number < 0 || this.readTime(bytes, head, end, line) < 0) continue;
      if (!readKernelTask(bytes, start, cpu, line, this.names)) continue;
      line.cpu = number;
      return head;
    }
    return -1;
  }

  /** Passes over `(+909)`, which `--ts-diff` prints. */
  protected override eventAt(bytes: Uint8Array, at: number, end: number): number {
    const first = blanks(bytes, at, end);
    if (bytes[first] !== OPEN) return first;
    let i = first;
    while (i < end && bytes[i] !== CLOSE && bytes[i] !== BLANK) i++;
    return i < end && bytes[i] === CLOSE ? blanks(bytes, i + 1, end) : first;
  }

  /** Losses, the lines of a stack trace, and those that say what the file has. */
  protected override other(bytes: Uint8Array, start: number, end: number, line: TraceLine): LineKind {
    const whole = textOf(bytes, start, end);
    if (readLossLine(whole, line)) return LineKind.loss;
    return NO_EVENT.test(whole) ? LineKind.skip : this.explain(bytes, start, end, line);
  }
}

/** A stack's line is `=> function (address)`. */
const NO_EVENT =
  /^\s*$|^(?:.*: +| *)(?:cpus=\d+|version ?= ?\d+|CPU:? ?\d+ (?:is empty|\[SUBBUFFER START\].*))\s*$|^ ?=> \S/;

/** Whether the text is one of the lines that trace-cmd prints and the kernel does not, though they are no events. */
export function isTraceCmdNote(text: string): boolean {
  if (/^(?:.*: +| *)CPU:\d+ \[(?:\d+ )?EVENTS DROPPED\]\s*$/.test(text)) return true;
  return text.trim() !== '' && NO_EVENT.test(text) && !/^ ?=>/.test(text);
}

import { EventLineDecoder } from './event_line.js';
import { readKernelTask, readLossLine } from './kernel_text.js';
import type { TraceLine } from './trace_line.js';
import { LineKind, type LogSummary } from './trace_reader.js';
import { blanks, textOf } from './trace_text.js';

/**
 * The text of /sys/kernel/tracing/trace and trace_pipe:
 *
 *     # entries-in-buffer/entries-written: 24576/24576   #P:2
 *     #           TASK-PID     CPU#  |||||  TIMESTAMP  FUNCTION
 *          xen-balloon-41      [000] .....    87.520279: set_phys_to_machine: (set_phys_to_machine+0x0/0x40) pfn=0xa8fb
 *         [-- head: TASK-PID, (TGID), [CPU], flags --][time]
 *     CPU:1 [LOST 123 EVENTS]
 *
 * Flags have 0 to 8 columns and TGID is there or not, as the kernel's options say.
 */

const LESS = 0x3c;

/** Decodes ftrace text. */
export class FtraceDecoder extends EventLineDecoder {
  readonly format = 'ftrace text';
  protected readonly lineShape = 'TASK-PID [CPU] FLAGS TIME: EVENT: ...';
  #summary: LogSummary | undefined;

  /** What the `entries-in-buffer/entries-written` lines say; trace_pipe has none. */
  override get summary(): LogSummary | undefined {
    return this.#summary;
  }

  protected readTask(bytes: Uint8Array, start: number, at: number, line: TraceLine): boolean {
    return readKernelTask(bytes, start, at, line, this.names);
  }

  /** Two events of ftrace's own print no name: `callee <-caller` of the function tracer, and stack traces. */
  protected override unnamed(bytes: Uint8Array, at: number, end: number, line: TraceLine): LineKind {
    const body = textOf(bytes, at, end);
    if (!/^(<(user )?stack trace>|\S+ +<-\S+( \[\S+\])?)\s*$/.test(body)) return super.unnamed(bytes, at, end, line);
    return this.setEvent(
      bytes[at] !== LESS ? 'function' : body.includes('user') ? 'user_stack' : 'kernel_stack',
      at,
      line,
    );
  }

  protected override comment(bytes: Uint8Array, start: number, end: number): LineKind {
    const comment = textOf(bytes, start, end);
    if (!comment.startsWith('# entries-in-buffer/entries-written:')) return LineKind.skip;
    const match = /: (\d{1,15})\/(\d{1,15})\s+#P:\d{1,6}\s*$/.exec(comment);
    if (match === null) return this.bad('bad header', start, '# entries-in-buffer/entries-written: N/N   #P:N');
    const [entriesInBuffer, entriesWritten] = [Number(match[1]), Number(match[2])];
    if (entriesInBuffer > entriesWritten) {
      return this.bad('bad header', start, 'at most as many entries in the buffer as were written');
    }
    this.#summary = {
      entriesInBuffer: (this.#summary?.entriesInBuffer ?? 0) + entriesInBuffer,
      entriesWritten: (this.#summary?.entriesWritten ?? 0) + entriesWritten,
    };
    return LineKind.skip;
  }

  /** Losses, the lines of a stack trace, blank lines. */
  protected override other(bytes: Uint8Array, start: number, end: number, line: TraceLine): LineKind {
    const whole = textOf(bytes, start, end);
    if (readLossLine(whole, line)) return LineKind.loss;
    if (blanks(bytes, start, end) === end) return LineKind.skip;
    if (/^ => \S/.test(whole) && this.#isStack(line.event)) return LineKind.skip;
    return this.explain(bytes, start, end, line);
  }

  #isStack(event: number): boolean {
    const name = this.names.events.name(event);
    return name === 'kernel_stack' || name === 'user_stack';
  }
}

import { EventLineDecoder } from './event_line.js';
import { LOST_UNKNOWN, type TraceLine } from './trace_line.js';
import { LineKind } from './trace_reader.js';
import { blanks, blanksBack, digitsBack, isDigit, textOf } from './trace_text.js';

/**
 * The text of `perf script`:
 *
 *          xen-balloon    41 [000]   179.929362:            p2m:__set_phys_to_machine: (ffffffff81021d10) pfn=0xd1db mfn=0x1
 *                  gnt   275/276   [001]   179.929362416:    1   xen:xen_mmu_set_pte: ...
 *             ffffffff81021d10 __set_phys_to_machine+0x0 ([kernel.kallsyms])
 *          xen-balloon    41 [000]   179.978195: PERF_RECORD_LOST lost 17
 *
 * With `-F` the task, the CPU and the process before the thread (`PID/TID`) are there or not, nanoseconds too, and a
 * period before the event. The pid of a line is the thread's, as in the kernel's own text. Lines of a call chain
 * (`-g`) begin with a tab; an empty line ends them.
 */

const BLANK = 0x20;
const SLASH = 0x2f;
const COLON = 0x3a;
const DOT = 0x2e;

/** Digits of the largest pid, and more. */
const PID_DIGITS_MAX = 9;

/** Decodes the text of `perf script`. */
export class PerfScriptDecoder extends EventLineDecoder {
  readonly format = 'perf script';
  protected readonly lineShape = 'TASK PID [CPU] TIME: GROUP:EVENT: ...';

  protected readTask(bytes: Uint8Array, start: number, at: number, line: TraceLine): boolean {
    const end = blanksBack(bytes, start, at);
    const tid = digitsBack(bytes, start, end);
    const pid = tid > start && bytes[tid - 1] === SLASH ? digitsBack(bytes, start, tid - 1) : tid;
    if (tid === end || end - tid > PID_DIGITS_MAX || end === at) return false;
    if (pid > start && bytes[pid - 1] !== BLANK) return false;
    const task = blanks(bytes, start, pid);
    const taskEnd = blanksBack(bytes, task, pid);
    // A hole in the file is no name, though names may hold nearly anything.
    if (bytes.subarray(task, taskEnd).includes(0)) return false;
    line.pid = this.readSmall(bytes, tid, end);
    line.task = this.names.tasks.intern(bytes, task, taskEnd);
    return true;
  }

  /** `TASK PID` without a CPU: what stands before the first time that has a pid before it. */
  protected override readBareHead(bytes: Uint8Array, start: number, end: number, line: TraceLine): number {
    for (let colon = start; colon < end; colon++) {
      if (bytes[colon] !== COLON) continue;
      let time = colon;
      while (time > start && (isDigit(bytes[time - 1]!) || bytes[time - 1] === DOT)) time--;
      if (time === colon || !this.readTask(bytes, start, time, line)) continue;
      const head = blanksBack(bytes, start, time);
      if (this.readTime(bytes, head, end, line) !== colon + 1) continue;
      line.cpu = 0;
      return head;
    }
    return -1;
  }

  /** Passes over the period, a number before the event. */
  protected override eventAt(bytes: Uint8Array, at: number, end: number): number {
    const first = blanks(bytes, at, end);
    let i = first;
    while (i < end && isDigit(bytes[i]!)) i++;
    return i > first && i < end && bytes[i] === BLANK ? blanks(bytes, i, end) : first;
  }

  /** Records of perf's own, which `--show-lost-events` and the like print between the events. */
  protected override unnamed(bytes: Uint8Array, at: number, end: number, line: TraceLine): LineKind {
    const body = textOf(bytes, at, end);
    const loss = /^PERF_RECORD_LOST(?:_SAMPLES)?\b(?:.*\blost (\d{1,15}))?/.exec(body);
    if (loss !== null) {
      line.lost = loss[1] === undefined ? LOST_UNKNOWN : Number(loss[1]);
      return LineKind.loss;
    }
    return /^PERF_RECORD_[A-Z]/.test(body) ? LineKind.skip : super.unnamed(bytes, at, end, line);
  }

  /** Lines of a call chain, and what perf says on stderr where that went into the same file. */
  protected override other(bytes: Uint8Array, start: number, end: number, line: TraceLine): LineKind {
    const whole = textOf(bytes, start, end);
    const loss = LOSS.exec(whole);
    if (loss !== null) {
      line.cpu = -1;
      line.lost = loss[1] === undefined ? LOST_UNKNOWN : Number(loss[1]);
      return LineKind.loss;
    }
    return NO_EVENT.test(whole) ? LineKind.skip : this.explain(bytes, start, end, line);
  }
}

/** `Processed 20368 events and lost 2 chunks!` tells how often events were lost, not how many. */
const LOSS = /^(?:LOST (\d{1,15}) events!|Processed \d+ (?:events|samples) and lost [^!]+!)/;

/** Empty lines, those of a call chain (an address, then what stands there), and perf's advice. */
const NO_EVENT =
  /^\s*$|^\t\s*[0-9a-f]{1,16}(?: .*)?$|^\s+[0-9a-f]{12,16} \S.*\)\s*$|^Warning:$|^Check IO\/CPU overload!$/;

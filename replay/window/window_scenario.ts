import { Buffer } from 'node:buffer';
import { Global, inputError, usageError } from '../../events/index.js';
import { replayLog, type DumpSource } from '../run/replay_log.js';
import { scenarioOf, watched, type ScenarioJson } from '../scenario/read_scenario.js';
import { THREAD_NAMES, type Scenario } from '../scenario/scenario.js';
import { openLog, type Pieces } from '../trace/opened_log.js';
import { decoderFor, type TextFormat } from '../trace/sniff.js';
import { TraceNames, type TraceLine } from '../trace/trace_line.js';
import { TraceReader } from '../trace/trace_reader.js';
import { WindowCalls, type LogWindow, type WindowCall } from './window_calls.js';
import { windowLayout, windowPages } from './window_layout.js';

/** A log that can be read twice, and what stood before it. */
export interface WindowInput {
  /** What messages call it. */
  readonly log: string;
  readonly open: () => Pieces;
  readonly from: DumpSource | undefined;
  /** Instead of what the log says, or 7.0. */
  readonly kernel: string | undefined;
}

/** A scenario that was drawn from a log, and what is to be said of it. */
export interface WindowScenario {
  readonly scenario: Scenario;
  /** Who each thread was, what was left out, what is not known. */
  readonly notes: readonly string[];
}

/**
 * The calls of a window of a log as a scenario, a thread a task: what happened once, to be run in all the orders in which
 * it could have. The list is laid out as it stood before the first call, as far as the calls touch it.
 *
 * @throws {P2mError} the log cannot be read, or the window holds no call that a scenario has
 */
export async function windowScenario(input: WindowInput, window: LogWindow): Promise<WindowScenario> {
  if (window.start >= window.end) {
    throw usageError('an empty window', { got: `${window.start}..${window.end}`, expected: 'A..B with A below B' });
  }
  const { log, from } = input;
  const tasks = await tasksOf(input, window);
  let gathered: WindowCalls | undefined;
  const pieces =
    tasks === undefined
      ? input.open()
      : linesBefore((await openLog(input.open(), log)).pieces, window.end + LINES_BESIDE);
  const report = await replayLog(
    { log, pieces, from, to: undefined },
    {
      memory: 'paged',
      ...(input.kernel === undefined ? {} : { kernel: input.kernel }),
      keeper: (header, codec) => {
        const calls = new WindowCalls(header, codec, log, window, tasks !== undefined);
        gathered = calls;
        return (batch) => calls.take(batch);
      },
    },
  );
  if (report.error !== undefined) throw inputError(report.error.message);
  if (gathered === undefined || gathered.calls.length === 0) {
    throw inputError('no call in the window', { file: log, got: `${window.start}..${window.end}` });
  }
  const { scenario, threads } = drawn(gathered, tasks);
  const notes = threads.map(({ name, calls }, i) => `thread ${THREAD_NAMES[i]}: ${name}, ${calls.length} calls`);
  for (const [operation, count] of gathered.leftOut)
    notes.push(`left out: ${count} ${operation}, which no scenario has`);
  if (tasks !== undefined && from === undefined) {
    notes.push('without a dump before the log (--init) what no line tells of the list is taken for missing');
  }
  const lastPfn = gathered.memory.words[Global.xen_p2m_last_pfn]!;
  if (lastPfn !== 0 && lastPfn !== scenario.nrPages) {
    notes.push(
      `xen_p2m_last_pfn is ${lastPfn} in the log and ${scenario.nrPages} here: checks of it and of max_pfn may miss`,
    );
  }
  if (report.verdict === 'violated') notes.push('the log itself contradicts the model: see p2m replay');
  return { scenario, notes };
}

interface Thread {
  readonly name: string;
  readonly calls: WindowCall[];
}

function drawn(gathered: WindowCalls, tasks: Tasks | undefined): { scenario: Scenario; threads: Thread[] } {
  const { calls, header, memory } = gathered;
  const byTask = new Map<string, Thread>();
  for (const call of [...calls].sort((a, b) => a.at - b.at)) {
    const name = tasks?.get(call.at) ?? `CPU ${call.cpu}`;
    const thread = byTask.get(name) ?? { name, calls: [] };
    byTask.set(name, thread);
    thread.calls.push(call);
  }
  const threads = [...byTask.values()];
  if (threads.length > THREAD_NAMES.length) {
    throw inputError('too many tasks in the window', {
      got: String(threads.length),
      expected: `at most ${THREAD_NAMES.length}`,
    });
  }
  const operations = threads.map((thread) => thread.calls.map(({ operation }) => operation));
  const g = memory.geometry;
  const pages = windowPages(
    memory,
    operations.flat().map(([, pfn]) => pfn),
  );
  const watch = watched(operations, pages, g);
  const json = {
    kernel: header.kernel,
    geometry: g.name,
    layout: windowLayout(memory, watch),
    threads: operations,
    watch,
  };
  return { scenario: scenarioOf(json as unknown as ScenarioJson), threads };
}

/** By line: the task that it is of. */
type Tasks = ReadonlyMap<number, string>;

/** Lines beside the window that are looked at: calls from before may be open in it, and those of it return behind it. */
const LINES_BESIDE = 10_000;

/** The tasks of the lines of the window and shortly before; undefined for a log of ours, which has none. */
async function tasksOf({ log, open }: WindowInput, window: LogWindow): Promise<Tasks | undefined> {
  const opened = await openLog(open(), log);
  if (opened.format === 'p2mlog' || opened.format === 'jsonl') return undefined;
  const format: TextFormat = opened.format;
  const names = new TraceNames();
  const tasks = new Map<number, string>();
  const note = (line: TraceLine): void => {
    if (line.line < window.start - LINES_BESIDE) return;
    const task = line.pid === 0 ? `CPU ${line.cpu}` : `${names.tasks.name(line.task) ?? 'task'}-${line.pid}`;
    tasks.set(line.line, task);
  };
  const reader = new TraceReader(decoderFor(format, names), { onEvent: note, onLoss: () => undefined }, log);
  for await (const piece of linesBefore(opened.pieces, window.end)) reader.push(piece);
  reader.end();
  return tasks;
}

const NEWLINE = 10;

/** The lines of a text below number `end`, counted from 1. */
async function* linesBefore(pieces: Pieces, end: number): AsyncGenerator<Uint8Array, void, undefined> {
  let line = 1;
  for await (const piece of pieces) {
    const bytes = Buffer.from(piece.buffer, piece.byteOffset, piece.length);
    let at = 0;
    while (line < end) {
      const newline = bytes.indexOf(NEWLINE, at);
      if (newline < 0) break;
      at = newline + 1;
      line++;
    }
    if (line >= end) {
      if (at > 0) yield bytes.subarray(0, at);
      return;
    }
    yield bytes;
  }
}

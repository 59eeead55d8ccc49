import { usageError, type EntryCodec, type EventBatch, type EventFormat } from '../../events/index.js';
import { formByKernel } from '../../src/index.js';
import { EventReplay } from '../events/event_replay.js';
import type { ListDump } from '../recording/list_dump.js';
import { ALL_KNOWN, compareWithDump } from './compare.js';
import { DIVERGENCES_MAX, type ReplayReport, type StepReport } from './report.js';
import type { ReplayOptions } from './running_replay.js';

/**
 * Plays an event log of ours from its first event to its last, and compares what it leads to with a dump. Fills `report`
 * and `step`, also where the log cannot be read to its end.
 *
 * @throws {P2mError} the log is damaged, or does not fit itself
 */
export async function replayEvents(
  log: string,
  format: EventFormat,
  pieces: AsyncIterable<Uint8Array>,
  to: ((codec: EntryCodec) => ListDump) | undefined,
  options: ReplayOptions,
  report: ReplayReport,
  step: StepReport,
): Promise<void> {
  let keep: ((batch: EventBatch) => void) | undefined;
  const replay = new EventReplay(format, log, {
    memory: options.memory,
    ...(options.chain === undefined ? {} : { chain: options.chain }),
    also: {
      onHeader: (header, codec) => {
        const { kernel } = options;
        if (kernel !== undefined && formByKernel(kernel) !== formByKernel(header.kernel)) {
          throw usageError('the log says itself which kernel it is of', {
            got: `--kernel ${kernel}`,
            expected: header.kernel,
          });
        }
        report.kernel = header.kernel;
        report.geometry = header.geometry;
        keep = options.keeper?.(header, codec);
      },
      onEvents: (batch) => keep?.(batch),
    },
  });
  try {
    for await (const piece of pieces) replay.push(piece);
    const isClosed = replay.end();
    if (!isClosed) step.open = true;
    step.verdict = isClosed ? 'ok' : 'incomplete';
  } finally {
    const { player } = replay;
    if (player !== undefined) {
      report.form = player.form.name;
      report.events = player.events;
      report.operations = player.operations;
    }
  }
  const player = replay.player!;
  report.state = player.digest();
  if (to === undefined) return;
  const dump = to(player.memory.codec);
  const compared = compareWithDump(player.memory, ALL_KNOWN, dump, player.form.listForTools, (difference) => {
    const { what, pfn, expected, actual } = difference;
    report.divergenceCount++;
    const place = { file: log, line: 0, seq: player.events, cpu: -1, task: '', text: '' };
    const operation = `${what} of dump ${dump.name}`;
    const divergence = { ...place, operation, pfn: `0x${pfn.toString(16)}`, expected, actual };
    if (report.divergences.length < DIVERGENCES_MAX) report.divergences.push(divergence);
  });
  report.checked.entries += compared.entries;
  report.checked.ptes += compared.leaves;
  step.final = { dump: dump.name, compared: compared.entries, differences: compared.differences, beyond: 0 };
  report.final = step.final;
  if (compared.differences > 0) step.verdict = 'violated';
}

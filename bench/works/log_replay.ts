import { closeSync, existsSync, openSync, readSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { INVALID, LogReader, mfnWord } from '../../events/index.js';
import { keepLog } from '../../node/index.js';
import { EventPlayer } from '../../replay/index.js';
import { bootEngine } from '../../src/library.js';
import type { Setting, Work } from '../contest.js';

const PIECE_BYTES = 2 ** 18;
/** A set has `call`, `set_entry` and `return`. */
const EVENTS_A_SET = 3;
/** Sets between two appends. */
const BATCH = 2048;

/**
 * Replays a log of at least `events` events that lies on disk: read in pieces, its checksums verified, or its chain too; every event
 * checked against the memory that it meets, and applied. The log is that of a balloon on a booted list, down and up again.
 */
export async function logReplaysFromDisk(events: number, chain: boolean, setting: Setting): Promise<Work> {
  const path = await logOf(setting.tiny ? Math.ceil(events / 1000) : events, setting);
  return {
    run() {
      let player: EventPlayer | undefined;
      const reader = new LogReader(
        {
          onHeader: (header, codec) => (player = new EventPlayer(header, codec, path, 'flat')),
          onEvents: (batch, seq) => player!.play(batch, seq),
        },
        path,
        { chain },
      );
      readPieces(path, (piece) => reader.push(piece));
      if (!reader.end()) throw new Error(`${path} is not closed`);
      return { count: player!.events, check: player!.events };
    },
  };
}

/** The pieces of a file, one after the other, in a buffer that is used again. */
function readPieces(path: string, take: (piece: Uint8Array) => void): void {
  const piece = new Uint8Array(PIECE_BYTES);
  const file = openSync(path, 'r');
  for (let bytes = 1; bytes > 0;) {
    bytes = readSync(file, piece);
    if (bytes > 0) take(piece.subarray(0, bytes));
  }
  closeSync(file);
}

/** The log, written where it is not there yet: contestants that ask for the same one have the same file. */
async function logOf(events: number, { folder, tiny }: Setting): Promise<string> {
  const path = join(folder, `replay-${events}.p2mlog`);
  if (existsSync(path)) return path;
  const half = join(folder, 'half.p2mlog');
  const nrPages = 2 ** (tiny ? 12 : 20);
  const log = keepLog(half, { sync: 'never' });
  const engine = bootEngine({ nrPages, memory: 'flat', log });
  const { domain } = engine;
  const { setPhysToMachine } = domain.machines;
  const balloon = nrPages / 2;
  for (let set = 0; set * EVENTS_A_SET < events; set++) {
    const pfn = set % balloon;
    const isUp = Math.floor(set / balloon) % 2 === 1;
    domain.begin('set_phys_to_machine', setPhysToMachine, pfn, isUp ? mfnWord(pfn) : INVALID);
    domain.cpus[0]!.run();
    domain.close('set_phys_to_machine', 0, domain.cpus[0]!);
    if (set % BATCH === BATCH - 1) await engine.flush();
  }
  await engine.close();
  renameSync(half, path);
  return path;
}

/**
 * Records a live engine and replays the record.
 *
 * Two asynchronous callers work on one list: a balloon driver that gives pages back and takes others, and a backend that
 * maps granted pages. What they did is a log; played back, it leads to the very same list.
 *
 *     node dist/examples/record_and_replay.js [FILE.p2mlog | FILE.jsonl]
 */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { bootEngine, type Engine } from 'xen-p2m';
import { eventFormatByName, logTo, readLog, viewEvent, type P2mEvent } from 'xen-p2m/events';
import { NodeLogFile, readFilePieces, stderrLog } from 'xen-p2m/node';
import { EventPlayer, stateDigest } from 'xen-p2m/replay';

/** The balloon: 16 pages at a time are given back, and come again with other frames. */
async function balloon(engine: Engine): Promise<void> {
  for (let round = 0; round < 8; round++) {
    const pfnStart = 0x100 + 16 * round;
    const range = { pfnStart, pfnEnd: pfnStart + 16 };
    await engine.execute({ operation: 'decrease_reservation', ...range }, 'balloon');
    await engine.execute({ operation: 'increase_reservation', ...range, value: `m:${0x8000 + 16 * round}` }, 'balloon');
  }
}

/** A backend driver: maps two granted frames into pages without memory, looks at one, unmaps them. */
async function backend(engine: Engine): Promise<void> {
  for (let round = 0; round < 8; round++) {
    const pfns = [0x900 + 2 * round, 0x901 + 2 * round];
    const slots = pfns.map((pfn) => ({ pfn, mfn: 0x20000 + pfn }));
    await engine.execute({ operation: 'set_foreign_p2m_mapping', slots }, 'backend');
    await engine.loggedLookUp(pfns[0]!, 'backend');
    // Every other one stays mapped.
    if (round % 2 === 0) await engine.execute({ operation: 'clear_foreign_p2m_mapping', pfns }, 'backend');
  }
}

const file = process.argv[2] ?? join(mkdtempSync(join(tmpdir(), 'p2m-')), 'run.p2mlog');
const name = basename(file);

// Record.
const engine = bootEngine({
  kernel: '6.1',
  nrPages: 0x800,
  extra: [{ pfnStart: 0x800, pfnEnd: 0x1000 }],
  log: logTo(new NodeLogFile(file), { format: eventFormatByName(name) ?? 'p2mlog' }),
  logger: await stderrLog(),
});
let batches = 0;
engine.events$.subscribe(() => batches++);
await Promise.all([balloon(engine), backend(engine)]);
await engine.close();
console.log(`recorded ${engine.appended} events in ${batches} batches: ${name}`);
for (const pfn of [0x100, 0x900, 0x902]) console.log(`  pfn 0x${pfn.toString(16)}: ${engine.entryOf(pfn)}`);

// Read it back, and replay it.
const log = await readLog(readFilePieces(file), name);
const player = new EventPlayer(log.header, log.codec, name);
const looks: P2mEvent[] = [];
for await (const { batch, seq } of log) {
  player.play(batch, seq);
  for (let i = 0; i < batch.length; i++) {
    const event = viewEvent(batch, i, log.codec, seq + i);
    if (event.kind === 'look_up') looks.push(event);
  }
}
console.log(`replayed ${player.events} events of kernel ${log.header.kernel}, ${log.header.geometry}`);
for (const [operation, calls] of Object.entries(player.operations).slice(-4)) console.log(`  ${operation}: ${calls}`);
console.log(`  first look-up that was logged: ${JSON.stringify(looks[0])}`);

const [live, replayed] = [stateDigest(engine.domain.memory), player.digest()];
console.log(`live list     ${live.list}, all else ${live.rest}`);
console.log(`replayed list ${replayed.list}, all else ${replayed.rest}`);
const equal = live.list === replayed.list && live.rest === replayed.rest;
console.log(equal ? 'the replay ended in the same state' : 'the replay ended in ANOTHER state');
process.exitCode = equal ? 0 : 1;

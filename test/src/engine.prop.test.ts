import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EventBatch, KINDS, logTo, payloadColumn, readLog, type EventFormat, type Word } from '../../events/index.js';
import { EventPlayer, stateDigest } from '../../replay/index.js';
import { bootEngine, type Command } from '../../src/library.js';

const PFNS = 64;

const pfn = fc.nat(PFNS - 1);
const value = fc.oneof(
  fc.constant('~'),
  fc.nat(500).map((n) => `m:${n}`),
  fc.nat(500).map((n) => `f:${n}`),
  fc.bigInt(0n, 2n ** 64n - 1n).map((n) => `0x${n.toString(16)}`),
);
const range = fc.tuple(pfn, fc.integer({ min: 1, max: 4 })).map(([start, count]) => ({
  pfnStart: start,
  pfnEnd: Math.min(PFNS, start + count),
}));
const command: fc.Arbitrary<Command> = fc.oneof(
  fc.record({ operation: fc.constant('set_phys_to_machine' as const), pfn, value }),
  fc.record({ operation: fc.constant('look_up' as const), pfn, cpu: fc.nat(1) }),
  fc.record({ operation: fc.constant('xen_alloc_p2m_entry' as const), pfn, cpu: fc.nat(1) }),
  range.map((of) => ({ operation: 'decrease_reservation' as const, ...of })),
  fc.tuple(range, fc.nat(500)).map(([of, n]) => ({
    operation: 'increase_reservation' as const,
    ...of,
    value: `m:${n}`,
  })),
);
/** What callers do: ask and wait, ask in a batch, call at once, or take a turn of the event loop. */
const act = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ how: fc.constant('execute' as const), commands: fc.array(command, { maxLength: 4 }) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ how: fc.constant('now' as const), commands: fc.array(command, { maxLength: 4 }) }),
  },
  { weight: 2, arbitrary: fc.record({ how: fc.constant('turn' as const), commands: fc.constant([]) }) },
);

describe('Engine', () => {
  it('has in its log what happened in memory, in that order, whoever called how and when the file failed', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(act, { maxLength: 8 }), { minLength: 1, maxLength: 3 }),
        fc.constantFrom<EventFormat>('p2mlog', 'jsonl'),
        fc.infiniteStream(fc.nat(3)),
        async (callers, format, failures) => {
          const pieces: Uint8Array[] = [];
          let working = true;
          const file = {
            write: async (bytes: Uint8Array) => {
              const fails = working && failures.next().value === 0;
              await new Promise((resolve) => setImmediate(resolve));
              if (fails) throw new Error('disk full');
              pieces.push(bytes.slice());
            },
            close: () => undefined,
          };
          const engine = bootEngine({
            geometry: 'tiny',
            nrPages: 32,
            extra: [{ pfnStart: 32, pfnEnd: PFNS }],
            cpus: 2,
            log: logTo(file, { format }),
          });
          const told = new EventBatch();
          engine.events$.subscribe((batch) => {
            for (let i = 0; i < batch.length; i++) told.copyRow(batch, i, payloadColumn(batch.kind[i]!));
          });
          const looked: Word[] = [];
          const work = async (acts: (typeof callers)[number]): Promise<void> => {
            for (const { how, commands } of acts) {
              if (how === 'turn') await new Promise((resolve) => setImmediate(resolve));
              else if (how === 'now') engine.executeNow(commands);
              else await engine.execute(commands).catch(() => undefined);
            }
          };
          await Promise.all(callers.map(work));
          for (let i = 0; i < PFNS; i++) looked.push(engine.lookUp(i));
          working = false;
          await engine.close();

          const log = await readLog(pieces, 'run');
          const player = new EventPlayer(log.header, log.codec, 'run');
          const kinds: number[] = [];
          for await (const { batch, seq } of log) {
            player.play(batch, seq);
            kinds.push(...batch.kind.subarray(0, batch.length));
          }
          expect(player.digest()).toEqual(stateDigest(engine.domain.memory));
          expect(kinds).toEqual([...told.kind.subarray(0, told.length)]);
          expect(kinds.filter((kind) => kind === KINDS.call.id)).toHaveLength(engine.domain.ops);
          expect(looked).toEqual(Array.from({ length: PFNS }, (_, i) => engine.lookUp(i)));
        },
      ),
      { numRuns: 60 },
    );
  });
});

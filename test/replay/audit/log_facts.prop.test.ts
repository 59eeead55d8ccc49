import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { OPERATIONS, type StoredLog } from '../../../events/index.js';
import {
  EventFilter,
  loggedOperationOf,
  LogFacts,
  PageRoles,
  parseKinds,
  parseMoment,
  resolveMoment,
  resolveSince,
} from '../../../replay/index.js';
import { BlockFactsBuilder, type BlockFacts } from '../../../replay/audit/index/block_facts.js';
import { NameMask } from '../../../replay/audit/index/name_mask.js';
import { StandingEvents } from '../../../replay/audit/index/standing_events.js';
import { LoggedOperations, type LoggedOperation } from '../../../replay/audit/logged_operation.js';
import { OpenCalls } from '../../../replay/travel/open_calls.js';
import { smallIndex, tinyLogs } from './index_logs.js';
import { logOfEvents, type Told } from './logs.js';

afterEach(() => vi.restoreAllMocks());

const TASKS = ['balloon-7', 'gnt-8', '9', 'xen'];
const NAMES = ['set_phys_to_machine', 'get_phys_to_machine', 'decrease_reservation', 'warn', 'task'];

/** Events of operations that overlap, some without a call, an origin or a return, under tasks that change. */
const events: fc.Arbitrary<Told[]> = fc.array(
  fc
    .tuple(fc.constantFrom('task', 'origin', 'call', 'return', 'warn'), fc.nat(2), fc.nat(6), fc.nat(30), fc.nat(2))
    .map(([kind, cpu, op, number, choice]): Told => {
      const operation = OPERATIONS[[15, 12, 18][choice]!]!;
      switch (kind) {
        case 'task':
          return { cpu, op: 0, kind, pid: 7 + choice, comm: ['balloon', 'gnt', 'xen'][choice]! };
        case 'origin': {
          const clock = (['ns', 'ns', 'none', 'counter'] as const)[number % 4]!;
          return { cpu, op: op + 1, kind, clock, time: number, around: 'none', line: 0 };
        }
        case 'call':
          return { cpu, op: op + 1, kind, operation, pfn: number, value: '0x7', origin: 0 };
        case 'return':
          return { cpu, op: op + 1, kind, operation, result: 'bool', value: 1 };
        default:
          return { cpu, op, kind: 'warn', warning: 'identity-race', pfn: number };
      }
    }),
  { minLength: 1, maxLength: 120 },
);

/** Facts of the log's blocks but for the last `left`, in stretches of `perStretch` blocks; each second is gone on with from what was kept. */
function factsOf(log: StoredLog, perStretch: number, left: number): LogFacts {
  const stretches: { block: number; facts: BlockFacts }[] = [];
  const blocks = Math.max(1, log.blocks - left);
  let builder = new BlockFactsBuilder();
  for (let block = 0; block < blocks;) {
    const start = block;
    for (; block < Math.min(blocks, start + perStretch); block++) {
      builder.note(log.read(block), log.seqOf(block));
      if (block % 2 === 0) builder = BlockFactsBuilder.from(builder.facts(), log);
    }
    stretches.push({ block: start, facts: builder.facts() });
    builder = builder.next();
  }
  return new LogFacts(log, stretches, blocks);
}

const orFault = <T>(ask: () => T): T | string => {
  try {
    return ask();
  } catch (error) {
    return (error as Error).message;
  }
};

/** Where the log is answered otherwise with the facts than without. */
function faultsOf(log: StoredLog, facts: LogFacts): string[] {
  const faults: string[] = [];
  const compare = (what: string, got: unknown, want: unknown): void => {
    const [a, b] = [JSON.stringify(got), JSON.stringify(want)];
    if (a !== b) faults.push(`${what}: ${a}, not ${b}`);
  };
  for (let nanos = 0; nanos < 32; nanos++) {
    for (const text of [`@${nanos}`, `@0.${String(nanos).padStart(9, '0')}`, `0.${String(nanos).padStart(9, '0')}s`]) {
      for (const resolve of [resolveMoment, resolveSince]) {
        const ask = (by?: LogFacts) => orFault(() => resolve(log, parseMoment(text), by));
        compare(`${resolve.name} ${text}`, ask(facts), ask());
      }
    }
  }
  const all = new OpenCalls(log);
  // Backwards, so that none is made of the one before.
  for (let seq = log.events - 1; seq >= 0; seq--) {
    const calls = new OpenCalls(log, facts);
    compare(`open at ${seq}`, calls.at(seq).sort(byOp), all.at(seq).sort(byOp));
    compare(`operation of ${seq}`, loggedOperationOf(log, seq, facts), loggedOperationOf(log, seq));
  }
  faults.push(...blockFaults(log, facts));
  return faults;
}

const byOp = (a: { op: number }, b: { op: number }): number => a.op - b.op;

/** Where somebody who leaves blocks out does not know what somebody knows who reads all. */
function blockFaults(log: StoredLog, facts: LogFacts): string[] {
  const faults: string[] = [];
  const operations = new LoggedOperations();
  const roles = new PageRoles(log.header);
  const questions = [...TASKS.map((task) => ({ task })), ...NAMES.map((name) => ({ of: parseKinds(name) }))];
  for (let block = 0; block < facts.blocks; block++) {
    const told = new LoggedOperations();
    facts.tellBefore(block, (batch, i, seq) => told.note(batch, i, seq));
    const granted = new PageRoles(log.header);
    for (const each of facts.grants(0, block)) granted.grant(each);
    const batch = log.read(block);
    const passing = questions.map(() => false);
    const filters = questions.map((question) => new EventFilter(question));
    for (let i = 0; i < batch.length; i++) {
      const seq = log.seqOf(block) + i;
      const operation: LoggedOperation | undefined = operations.note(batch, i, seq);
      const [got, want] = [told.note(batch, i, seq), operation].map((each) => JSON.stringify(each));
      if (got !== want) faults.push(`operation of ${seq} by block ${block}: ${got}, not ${want}`);
      if (granted.of(batch.a[i]!) !== roles.of(batch.a[i]!)) faults.push(`role of page ${batch.a[i]}`);
      roles.note(batch, i);
      granted.note(batch, i);
      filters.forEach((filter, q) => (passing[q] ||= filter.passes(batch, i, operation)));
    }
    filters.forEach((filter, q) => {
      if (passing[q] && !filter.mayPass(facts, block)) faults.push(`block ${block} is left out of question ${q}`);
    });
  }
  return faults;
}

const logs = fc.tuple(events, fc.integer({ min: 1, max: 20 })).map(([told, perBlock]) => logOfEvents(told, perBlock));

function isCaught(): boolean {
  return fc.sample(logs, { numRuns: 30, seed: 5 }).some((log) => faultsOf(log, factsOf(log, 3, 0)).length > 0);
}

describe('LogFacts', () => {
  it('answers of times, operations and tasks what the whole log answers, as far as it goes', () => {
    fc.assert(
      fc.property(logs, fc.integer({ min: 1, max: 4 }), fc.nat(3), (log, perStretch, left) => {
        expect(faultsOf(log, factsOf(log, perStretch, left))).toEqual([]);
      }),
      { numRuns: 60 },
    );
  });

  it('so too of the logs of domains, by their index, wherever its stretches end', () => {
    for (const log of fc.sample(tinyLogs(), { numRuns: 8, seed: 4 })) {
      const index = smallIndex(log);
      index.coverTo(Math.floor(log.events / 2));
      expect(blockFaults(log, index.facts())).toEqual([]);
      index.coverTo();
      expect(index.facts().blocks).toBe(log.blocks);
      expect(blockFaults(log, index.facts())).toEqual([]);
    }
  });

  it('is caught where it forgets events that stand', () => {
    const real = Reflect.get<StandingEvents, 'seqs'>(StandingEvents.prototype, 'seqs');
    vi.spyOn(StandingEvents.prototype, 'seqs').mockImplementation(function (this: StandingEvents) {
      return real.call(this).slice(1);
    });
    expect(isCaught()).toBe(true);
  });

  it('is caught where it has no names', () => {
    vi.spyOn(NameMask.prototype, 'name').mockReturnValue(undefined);
    expect(isCaught()).toBe(true);
  });
});

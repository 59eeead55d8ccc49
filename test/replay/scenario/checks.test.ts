import { describe, expect, test } from 'vitest';
import { mfnWord, Role } from '../../../events/index.js';
import { Accesses, AccessKind, CHECKS, scenarioOf, type CheckName, type ScenarioJson } from '../../../replay/index.js';
import { PathWords } from '../../../replay/scenario/checks/path_words.js';
import { saysWhy, type RegisterOperation } from '../../../replay/scenario/checks/register_history.js';
import { ScenarioChecks, type TakenStep } from '../../../replay/scenario/scenario_checks.js';
import { bootScenario } from '../../../replay/scenario/scenario_domain.js';
import type { Domain } from '../../../src/index.js';

const json: ScenarioJson = {
  kernel: '7.0',
  layout: [
    ['nr', '4096'],
    ['hole', '1024', '1536'],
  ],
  threads: [[['set', 0x402, 'm:77']], [['lookup', 0x402]], [['rawSet', 0x802, 'm:5']]],
};

interface Held {
  readonly domain: Domain;
  readonly checks: ScenarioChecks;
  /** Does something, and tells of it as a step of thread 0. */
  readonly step: (act: (domain: Domain) => void, step?: Partial<TakenStep>) => void;
  /** What the path has broken, in words. */
  readonly says: () => string[];
}

function held(...check: CheckName[]): Held {
  const scenario = { ...scenarioOf(json), check };
  const domain = bootScenario(scenario);
  domain.hold();
  const checks = new ScenarioChecks(scenario, domain);
  const inHand = scenario.threads.map(([operation]) => operation);
  return {
    domain,
    checks,
    step: (act, step) => {
      const eventsFrom = domain.batch.length;
      act(domain);
      checks.afterStep({ thread: 0, inHand, finished: [], eventsFrom, accesses: new Accesses(), ...step });
    },
    says: () => CHECKS.flatMap((_, i) => ((checks.broken() & (1 << i)) === 0 ? [] : [checks.explain(i)])),
  };
}

function pairs(checks: ScenarioChecks): string[] {
  const found: string[] = [];
  checks.state({ add: (key, value) => found.push(`${key}: ${value}`) });
  return found;
}

describe('ScenarioChecks', () => {
  const nothing = (): undefined => undefined;

  test('an image puts back what was found and what was remembered', () => {
    const { checks, step, says } = held(...CHECKS);
    const image = checks.image;
    const before = pairs(checks);
    checks.beforeStep(1, ['lookup', 0x402]);
    step(({ cpus }) => cpus[0]!.port.storeEntry(0x802, mfnWord(5)));
    step(nothing, { thread: 1, finished: [{ operation: ['lookup', 0x402], value: mfnWord(1) }] });
    expect(says()).toHaveLength(3);
    expect(pairs(checks)).not.toEqual(before);
    checks.image = image;
    expect([says(), pairs(checks)]).toEqual([[], before]);
  });

  test('what is not held is not looked at', () => {
    const { step, says } = held('deadlock');
    step(({ cpus }) => cpus[0]!.port.storeEntry(0x900, mfnWord(5)));
    expect(says()).toEqual([]);
  });

  test('a load of a page that was freed before is a use of it, and one that the same step frees is none', () => {
    const { domain, step, says } = held('use-after-free');
    const { port } = domain.cpus[0]!;
    const page = port.allocPage(Role.leaf);
    const accesses = new Accesses();
    accesses.note(AccessKind.read, domain.memory.homes[page]! + 3);
    step(
      () => {
        port.freePage(page);
      },
      { accesses },
    );
    expect(says()).toEqual([]);
    step(nothing, { accesses });
    expect(says()).toEqual(['set 0x402 m:77 by A reads leaf#1, which was freed before']);
  });

  test('a store after the freeing in one step is a use, one before it is none', () => {
    const { domain, step, says } = held('use-after-free');
    const { port } = domain.cpus[0]!;
    const page = port.allocPage(Role.leaf);
    step(() => {
      port.storeLeaf(page, 0x402, mfnWord(1));
      port.freePage(page);
    });
    expect(says()).toEqual([]);
    step(() => port.storeLeaf(page, 0x402, mfnWord(2)));
    expect(says()).toEqual(['set 0x402 m:77 by A stores in leaf#1, which was freed before']);
  });

  test('of an operation in hand it is remembered that memory was short, and for no longer', () => {
    const { domain, checks, step, says } = held('false-set');
    const before = pairs(checks);
    domain.armFailure(1, 0);
    step(({ cpus }) => cpus[0]!.port.allocPage(Role.leaf));
    expect(pairs(checks)).not.toEqual(before);
    step(nothing, { finished: [{ operation: ['set', 0x402, 'm:77'], value: 0 }] });
    expect([pairs(checks), says()]).toEqual([before, []]);
    step(nothing, { finished: [{ operation: ['set', 0x402, 'm:77'], value: 0 }] });
    expect(says()).toEqual(['set 0x402 m:77 by A returned false, and no allocation failed in it']);
  });

  test('a rawSet that returns false must have found its leaf shared', () => {
    const { domain, checks, step, says } = held('false-set');
    const shared = ['rawSet', 0x402, 'm:5'] as const;
    checks.beforeStep(2, shared);
    step(nothing, { thread: 2, finished: [{ operation: shared, value: 0 }] });
    expect(says()).toEqual([]);
    const own = ['rawSet', 0x802, 'm:5'] as const;
    checks.beforeStep(2, own);
    step(nothing, { thread: 2, finished: [{ operation: own, value: 0 }] });
    expect(says()).toEqual([
      'rawSet 0x802 m:5 by C returned false, and the leaf of 0x802 was private before each step of it',
    ]);
    expect(domain.batch.length).toBe(0);
  });

  test('more operations on a pfn than a search takes are refused', () => {
    const threads: ScenarioJson['threads'] = [Array.from({ length: 31 }, () => ['lookup', 5] as ['lookup', number])];
    const scenario = scenarioOf({ ...json, threads });
    expect(() => new ScenarioChecks(scenario, bootScenario(scenario))).toThrow(
      'too many operations on one pfn for the check not-linearizable: got 31 on 0x5, want at most 30',
    );
  });
});

describe('saysWhy', () => {
  const scenario = scenarioOf(json);
  const words = new PathWords(scenario, bootScenario(scenario));
  const why = (...operations: RegisterOperation[]): string => saysWhy({ pfn: 0x402, initial: 0, operations }, words);
  const read = (name: string, mfn: number, after = 0): RegisterOperation => ({
    name,
    isWrite: false,
    value: mfn === 0 ? 0 : mfnWord(mfn),
    isDone: true,
    after,
  });
  const write = (name: string, mfn: number, after = 0, isDone = true): RegisterOperation => ({
    ...read(name, mfn, after),
    isWrite: true,
    isDone,
  });

  test('of a look-up that came too late for what it returned', () => {
    expect(why(write('S', 77), read('L', 0, 0b1))).toBe(
      'L returned ~ although S had returned true before it began, and nobody sets ~',
    );
  });

  test('of a look-up that returned what is from nowhere, and leaves out all else', () => {
    expect(why(write('S', 77), read('K', 77), read('L', 5))).toBe(
      'L returned m:5, which was not there before the run, and no set stores it that returned true or is in hand',
    );
  });

  test('of two look-ups that saw a set come and go, which may still be in hand', () => {
    expect(why(write('S', 77, 0, false), read('K', 77), read('L', 0, 0b10), write('T', 9, 0b111))).toBe(
      'no order of these operations on 0x402, which read ~ before the run, explains what they returned: S had not returned; K returned m:77; L returned ~, having begun after K had returned',
    );
  });

  test('of a set that was lost', () => {
    expect(why(write('S', 1), write('T', 2, 0b1), read('a look-up at the end', 1, 0b11))).toBe(
      'no order of these operations on 0x402, which read ~ before the run, explains what they returned: S returned true; T returned true, having begun after S had returned; a look-up at the end returned m:1, having begun after S and T had returned',
    );
  });
});

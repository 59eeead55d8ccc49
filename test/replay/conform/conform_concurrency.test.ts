import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { P2mError } from '../../../events/index.js';
import { conformConcurrency, isConcurrencyVector, readConcurrencyVector } from '../../../replay/index.js';
import { mutant } from '../../../src/index.js';
import { concurrencyText, shippedVector } from '../../src/concurrency_vector.js';
import { vectorFiles, vectorText } from '../../vectors.js';

const PROGRAM = fileURLToPath(new URL('../../../dist/cli/main.js', import.meta.url));
const VECTORS = fileURLToPath(new URL('../../vectors/concurrency', import.meta.url));
const NAME = 'sl-missing-pmd-same-pfn.3.19.8';

interface Json {
  interleavings: string;
  violating: string;
  initial: Record<string, string>;
  outcomes: {
    count: string;
    switches: number;
    outcome: { flags: string[]; lastPfn?: number };
    schedule: [string, string][];
  }[];
}

/** The failures of a vector after `alter`. */
function failuresOf(alter: (json: Json) => void): string[] {
  const json = JSON.parse(concurrencyText(NAME)) as Json;
  alter(json);
  const failures = conformConcurrency(readConcurrencyVector(JSON.stringify(json), 'v.json'));
  return failures.map(({ op, field, got, expected }) => `${op} ${field}: ${got} / ${expected}`);
}

describe('conformConcurrency', () => {
  // The built program, as a user runs it: the test runner's own module loader makes the model several times slower.
  test(
    'finds in every shipped vector the outcomes, counts and switches of the kernel code',
    { timeout: 120_000 },
    () => {
      const run = spawnSync(process.execPath, [PROGRAM, 'conform', VECTORS], { encoding: 'utf8' });
      expect([run.stdout, run.status]).toEqual(['62 passed, 0 failed\n', 0]);
    },
  );

  test('has nothing to say of a vector that is right', () => {
    expect(failuresOf(() => undefined)).toEqual([]);
  });

  test('names each number that differs', () => {
    expect(
      failuresOf((json) => {
        json.interleavings = '1';
        json.violating = '2';
        json.outcomes[1]!.count = '3';
        json.outcomes[0]!.switches = 9;
        json.initial = { ...json.initial, '262149': 'm:1' };
      }),
    ).toEqual([
      expect.stringMatching(/^scenario initial: \{"262149":"~".* \/ \{"262149":"m:1"/),
      'scenario interleavings: 12650 / 1',
      'scenario violating: 0 / 2',
      expect.stringMatching(/^outcome 1 switches: \d \/ 9$/),
      expect.stringMatching(/^outcome 2 count: \d+ \/ 3$/),
    ]);
  });

  test('names an outcome that cannot be, and one that is not expected', () => {
    const [impossible, schedule, unexpected] = failuresOf((json) => {
      json.outcomes[0]!.outcome.flags = ['leak'];
    });
    expect(impossible).toMatch(/^outcome 1 outcome: nothing \/ \{.*"flags":\["leak"\]/);
    expect(schedule).toMatch(/^outcome 1 schedule: \{.*"flags":\[\]/);
    expect(unexpected).toMatch(/^outcomes outcome: \{.*"flags":\[\].* \/ nothing$/);
  });

  test('says at which step a schedule does not apply', () => {
    expect(
      failuresOf((json) => {
        json.outcomes[0]!.schedule[0] = ['A', 'unlock'];
      }),
    ).toEqual([expect.stringMatching(/^outcome 1 schedule: the schedule does not apply at step 1: got A \(unlock\)/)]);
  });

  test('notices a mutant', () => {
    const vector = shippedVector('ss-missing-pmd-same-pfn.3.19.8');
    const form = mutant(vector.scenario.form, 'pmdLoserWalksAgain');
    const failures = conformConcurrency({ ...vector, scenario: { ...vector.scenario, form } });
    expect(failures.length).toBeGreaterThan(10);
  });

  test('claims nothing where the states are too many', () => {
    expect(conformConcurrency(shippedVector(NAME), { statesMax: 50 })).toMatchObject([
      { op: 'scenario', field: '-', got: `${NAME}: not exhausted: 50 states were not enough` },
    ]);
  });

  test('a scenario that the model cannot hold is a failure', () => {
    const { scenario, ...rest } = shippedVector(NAME);
    const huge = { ...rest, scenario: { ...scenario, nrPages: 2 ** 40 } };
    const failures = conformConcurrency(huge);
    expect(failures).toMatchObject([{ op: 'scenario', field: '-', expected: 'a run' }]);
    expect(failures[0]!.got).toContain('bad number of pages');
  });
});

describe('isConcurrencyVector', () => {
  test('tells the two kinds apart by what they hold', () => {
    expect(isConcurrencyVector(concurrencyText(NAME))).toBe(true);
    expect(isConcurrencyVector(vectorText(vectorFiles()[0]!))).toBe(false);
    expect(['', 'garbage', '[]', 'null', '1'].map(isConcurrencyVector)).toEqual([false, false, false, false, false]);
  });
});

describe('readConcurrencyVector', () => {
  const altered = (fields: object): string =>
    JSON.stringify({ ...(JSON.parse(concurrencyText(NAME)) as object), ...fields });

  test.each([
    ['no JSON', '{', /^bad\.json: bad JSON in a concurrency vector/],
    ['another format', altered({ format: 2 }), /^bad\.json: bad concurrency vector: got format/],
    ['no outcomes', altered({ outcomes: undefined }), /bad concurrency vector: got outcomes/],
    ['a count that is no number', altered({ interleavings: '-1' }), /bad concurrency vector: got interleavings/],
    ['no thread', altered({ threads: [] }), /bad concurrency vector: got threads/],
    ['an unknown kernel', altered({ kernel: 'hurd' }), /^bad\.json: unknown kernel form: got "hurd"/],
  ])('refuses %s', (_, text, message) => {
    expect(() => readConcurrencyVector(text, 'bad.json')).toThrow(P2mError);
    expect(() => readConcurrencyVector(text, 'bad.json')).toThrow(message);
  });
});

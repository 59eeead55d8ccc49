import { describe, expect, test } from 'vitest';
import { P2mError } from '../../../events/index.js';
import {
  CHECKS,
  inlineScenario,
  inlineThread,
  readScenario,
  scenarioJson,
  scenarioOf,
  scenarioSchema,
} from '../../../replay/index.js';

const json = {
  kernel: '7.0',
  layout: [['hole', '512', '1024'], ['nr', '4096'], ['limit', '8'], ['notree']],
  threads: [
    [['set', 600, 'm:77']],
    [
      ['lookup', 600],
      ['get', 601],
    ],
  ],
  initial: { '601': '~', '600': '~' },
};

const read = (changes: object): ReturnType<typeof scenarioOf> =>
  scenarioOf(scenarioSchema.parse({ ...json, ...changes }));

describe('scenarioOf', () => {
  test('reads kernel, layout, threads and watched pfns', () => {
    const { form, geometry, check, ...rest } = read({});
    expect(check).toBe(CHECKS);
    expect([form.name, geometry.name]).toEqual(['7.0', 'x86_64']);
    expect(rest).toEqual({
      kernel: '7.0',
      layout: json.layout,
      fail: { at: 0, from: 0 },
      machines: {},
      nrPages: 4096,
      ranges: [{ missing: true, pfnStart: 512, pfnEnd: 1024 }],
      limitPfns: 8 * 262144,
      tree: false,
      threads: json.threads,
      watch: [600, 601],
    });
  });

  test('knows the kernels of the vectors', () => {
    const kernels = ['3.19-rc1', '3.19-rc1b-pae', '3.19.0', '3.19.0-pae', '3.19.8', '3.19.8-pae', '7.0'];
    expect(kernels.map((kernel) => read({ kernel })).map(({ form, geometry }) => [form.tag, geometry.name])).toEqual([
      ['L1', 'x86_64'],
      ['L1', 'x86_32'],
      ['L2', 'x86_64'],
      ['L2', 'x86_32'],
      ['L3', 'x86_64'],
      ['L3', 'x86_32'],
      ['L13', 'x86_64'],
    ]);
    expect(read({ kernel: '3.19-rc1b-pae' }).form).toMatchObject({
      secondPmdPopulated: true,
      pmdLoserWalksAgain: false,
    });
  });

  test('lets a later layout entry override an earlier one, and takes the usual size where none is given', () => {
    expect(
      read({
        layout: [
          ['nr', '512'],
          ['nr', '1024'],
        ],
      }),
    ).toMatchObject({ nrPages: 1024, tree: true, limitPfns: 0 });
    expect(read({ layout: [] }).nrPages).toBe(1_310_720);
    expect(read({ layout: [], kernel: '3.19.8-pae' }).nrPages).toBe(4_194_304);
  });

  test.each([
    ['an unknown kernel', { kernel: '2.6' }, 'unknown kernel form: got "2.6"'],
    ['a range that ends before it starts', { layout: [['hole', '9', '8']] }, 'bad range in the layout: got hole 9 8'],
    ['a bad value', { threads: [[['set', 1, 'x:1']]] }, 'bad value: got "x:1"'],
    ['a pfn that no machine has', { threads: [[['get', 2 ** 52]]] }, 'bad pfn: got 4503599627370496'],
  ])('refuses %s', (_, changes, message) => {
    expect(() => read(changes)).toThrow(P2mError);
    expect(() => read(changes)).toThrow(message);
  });

  test.each([
    ['no thread', { threads: [] }],
    ['a thread that does nothing', { threads: [[]] }],
    ['an unknown operation', { threads: [[['free', 1]]] }],
    ['a set without a value', { threads: [[['set', 1]]] }],
    ['an unknown layout entry', { layout: [['moon']] }],
    ['a range in hex', { layout: [['hole', '0x10', '0x20']] }],
    ['a watched pfn that is none', { initial: { here: '~' } }],
    ['a field that nobody knows', { thread: [] }],
    ['an unknown check', { check: ['all'] }],
    ['a failure at no attempt', { fail: { at: 0 } }],
  ])('is given nothing by the schema for %s', (_, changes) => {
    expect(scenarioSchema.safeParse({ ...json, ...changes }).success).toBe(false);
  });
});

describe('scenarioJson', () => {
  test.each([
    ['of a vector', {}],
    ['with a failing allocation, fewer checks and pfns of its own', { fail: { at: 2 }, check: ['leak'], watch: [7] }],
    ['under PAE, by its kernel', { kernel: '3.19-rc1-pae' }],
    ['under PAE, by its geometry', { kernel: '3.19-rc1', geometry: 'pae' }],
    ['of a tiny machine', { geometry: 'tiny' }],
  ])('is read back to the same scenario, %s', (_, changes) => {
    const scenario = read({ layout: [], ...changes });
    const text = JSON.stringify(scenarioJson(scenario));
    expect(readScenario(text, 'again.json')).toEqual(scenario);
  });
});

describe('readScenario', () => {
  test.each([
    ['bad JSON', '{', 'bad JSON in a scenario'],
    ['an unknown operation', '{"kernel":"7.0","layout":[],"threads":[[["free",1]]]}', 'threads.0.0'],
    ['an unknown kernel', '{"kernel":"2.6","layout":[],"threads":[[["get",1]]]}', 'unknown kernel form'],
    ['no thread', '{"kernel":"7.0","layout":[],"threads":[]}', 'threads'],
    ['an array', '[]', 'the whole'],
  ])('says what is wrong with %s, and in which file', (_, text, message) => {
    expect(() => readScenario(text, 'a.json')).toThrow(message);
    expect(() => readScenario(text, 'a.json')).toThrow('a.json');
  });

  test('watches, where nobody says what, the pfns that are named and those that a mistake would change with them', () => {
    const text = JSON.stringify({
      kernel: '7.0',
      geometry: 'tiny',
      layout: [],
      threads: [[['set', 18, 'm:1']], [['get', 3]]],
    });
    expect(readScenario(text, 'a.json').watch).toEqual([2, 3, 18, 19, 34]);
  });
});

describe('inlineScenario', () => {
  const inline = {
    kernel: '3.19-rc1',
    layout: ['hole 0x400 786432; notree'],
    threads: ['set 0x402 m:77', 'lookup 0x402; get 1026'],
  };

  test('is the scenario that its JSON would be', () => {
    const scenario = inlineScenario(inline);
    expect(scenario).toMatchObject({
      kernel: '3.19-rc1',
      tree: false,
      ranges: [{ missing: true, pfnStart: 1024, pfnEnd: 786432 }],
    });
    expect(scenario.threads).toEqual([
      [['set', 1026, 'm:77']],
      [
        ['lookup', 1026],
        ['get', 1026],
      ],
    ]);
    expect(inlineScenario({ ...inline, threads: scenario.threads.map(inlineThread) })).toEqual(scenario);
  });

  test.each([
    ['no thread', { threads: [] }, 'a scenario with no thread'],
    ['an empty thread', { threads: [' ; '] }, 'a thread that does nothing'],
    ['an unknown operation', { threads: ['free 1'] }, 'bad piece of --thread: got "free 1"'],
    ['a missing value', { threads: ['set 1'] }, 'bad piece of --thread'],
    ['a bad pfn', { threads: ['get zz'] }, 'bad number in get zz: got "zz"'],
    ['a bad value', { threads: ['set 1 77'] }, 'bad value'],
    ['an unknown layout', { layout: ['moon'] }, 'bad piece of --layout'],
    ['an unknown check', { check: ['all'] }, 'bad scenario'],
    ['an unknown kernel', { kernel: 'x' }, 'unknown kernel form'],
  ])('refuses %s', (_, changes, message) => {
    expect(() => inlineScenario({ ...inline, ...changes })).toThrow(P2mError);
    expect(() => inlineScenario({ ...inline, ...changes })).toThrow(message);
  });
});

import { describe, expect, test } from 'vitest';
import { P2mError } from '../../../events/index.js';
import { scenarioOf, scenarioSchema } from '../../../replay/index.js';

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
    const { form, geometry, ...rest } = read({});
    expect([form.name, geometry.name]).toEqual(['7.0', 'x86_64']);
    expect(rest).toEqual({
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
    ['the old tree', { kernel: '3.16' }, 'the old tree is not explored yet'],
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
  ])('is given nothing by the schema for %s', (_, changes) => {
    expect(scenarioSchema.safeParse({ ...json, ...changes }).success).toBe(false);
  });
});

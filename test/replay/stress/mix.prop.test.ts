import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { P2mError } from '../../../events/index.js';
import { MIX_OPERATIONS, MIXES, mixText, parseMix, WEIGHT_MAX, type Mix } from '../../../replay/index.js';

const anyMix = fc
  .record({
    weights: fc.record(
      Object.fromEntries(MIX_OPERATIONS.map((name) => [name, fc.oneof(fc.constant(0), fc.nat(WEIGHT_MAX))])) as Record<
        (typeof MIX_OPERATIONS)[number],
        fc.Arbitrary<number>
      >,
    ),
    region: fc.constantFrom('leaf', 'pmd', 'top'),
  })
  .filter(({ weights }) => Object.values(weights).some((weight) => weight > 0))
  .map(({ weights, region }): Mix => ({ weights, region: weights.touch > 0 ? region : 'leaf' }));

function message(text: string): string {
  try {
    parseMix(text);
  } catch (error) {
    if (error instanceof P2mError && error.code === 'usage') return error.message;
    throw error;
  }
  return 'no error';
}

test('a mix that is printed is read back', () => {
  fc.assert(
    fc.property(anyMix, (mix) => {
      expect(parseMix(mixText(mix))).toEqual(mix);
    }),
  );
});

describe('parseMix', () => {
  it('reads a mix as the README has it', () => {
    const { weights, region } = parseMix('look-up=60, set=30, touch-pmd=10');
    expect({ ...weights, region }).toMatchObject({ 'look-up': 60, set: 30, touch: 10, clear: 0, region: 'pmd' });
  });

  it.each(Object.keys(MIXES))('knows %s by its name, and prints it', (name) => {
    expect(mixText(parseMix(name))).toBe(name);
  });

  it.each([
    ['', 'bad piece of a mix: got ""'],
    ['set', 'bad piece of a mix: got "set"'],
    ['sets=1', 'bad piece of a mix: got "sets=1"'],
    ['constructor=1', 'bad piece of a mix: got "constructor=1"'],
    ['constructor', 'bad piece of a mix: got "constructor"'],
    ['set=1,', 'bad piece of a mix: got ""'],
    ['set=-1', 'bad piece of a mix: got "set=-1"'],
    ['set=1.5', 'bad piece of a mix: got "set=1.5"'],
    ['set=10001', 'weight of set out of range: got 10001, want at most 10000'],
    ['set=1,set=2', 'set stands twice in the mix: got "set=1,set=2"'],
    ['touch=1,touch-pmd=2', 'a mix touches one kind of region: got "touch=1,touch-pmd=2"'],
    ['set=0,look-up=0', 'a mix with nothing in it: got "set=0,look-up=0", want a weight above 0'],
  ])('refuses %j', (text, expected) => {
    expect(message(text)).toContain(expected);
  });

  it('says what there is', () => {
    expect(message('read=1')).toContain(
      'balloon-up, grant, touch, touch-pmd, touch-top; or as all of it default, sets',
    );
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { P2mError } from '../../../events/index.js';
import { parseRuns, parseToken, printRuns, tokenText, type Token } from '../../../replay/index.js';

const hex = (digits: number): fc.Arbitrary<string> =>
  fc.string({ unit: fc.nat(15).map((digit) => digit.toString(16)), minLength: digits, maxLength: digits });
const schedules = fc.array(fc.nat(25), { maxLength: 60 });
const tokens: fc.Arbitrary<Token> = fc.record({ scenario: hex(8), schedule: schedules, end: hex(16) });

function refused(text: string): string {
  try {
    parseToken(text);
  } catch (error) {
    expect(error).toBeInstanceOf(P2mError);
    expect((error as P2mError).code).toBe('usage');
    return (error as P2mError).message;
  }
  throw new Error(`${text} is taken for a token`);
}

describe('parseRuns', () => {
  it('reads what printRuns gives', () => {
    fc.assert(
      fc.property(schedules, (schedule) => {
        expect(parseRuns(printRuns(schedule))).toEqual(schedule);
      }),
    );
  });
});

describe('parseToken', () => {
  it('reads what tokenText gives, which no shell cares about', () => {
    fc.assert(
      fc.property(tokens, (token) => {
        const text = tokenText(token);
        expect(parseToken(text)).toEqual(token);
        expect(text).toMatch(/^[A-Za-z0-9-]+$/);
      }),
    );
  });

  it('says of every cut token that it is cut, and where', () => {
    fc.assert(
      fc.property(tokens, fc.nat(), (token, seed) => {
        const text = tokenText(token);
        const length = 1 + (seed % (text.length - 1));
        expect(refused(text.slice(0, length))).toMatch(
          `the token is cut: got its end after character ${length}, want `,
        );
      }),
    );
  });

  it('notices every single character that is not what it was', () => {
    fc.assert(
      fc.property(tokens, fc.nat(), fc.string({ minLength: 1, maxLength: 1 }), (token, seed, other) => {
        const text = tokenText(token);
        const at = seed % text.length;
        fc.pre(text[at] !== other);
        refused(text.slice(0, at) + other + text.slice(at + 1));
      }),
      { numRuns: 1000 },
    );
  });

  it('notices what is put in, left out or exchanged', () => {
    fc.assert(
      fc.property(tokens, fc.nat(), fc.constantFrom('0', '9', 'a', 'f', 'A', 'Z', '-'), (token, seed, more) => {
        const text = tokenText(token);
        const at = seed % (text.length - 1);
        refused(text.slice(0, at) + more + text.slice(at));
        // The same text comes out where a character is left out of a row of equal ones: so compare.
        const swapped = text.slice(0, at) + text[at + 1]! + text[at]! + text.slice(at + 2);
        if (swapped !== text) refused(swapped);
        refused(text.slice(0, at) + text.slice(at + 1));
      }),
      { numRuns: 300, seed: 4 },
    );
  });
});

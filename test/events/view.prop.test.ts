import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EventBatch, KINDS, parseEvent, pushEvent, viewEvent } from '../../events/index.js';
import { batches, kindsIn, rowsOf } from './batches.js';

describe('batches', () => {
  it('makes rows of every kind of the table', () => {
    const seen = fc.sample(batches(64), { numRuns: 60, seed: 1 }).flatMap(({ batch }) => [...kindsIn(batch)]);
    expect(new Set(seen)).toEqual(new Set(Object.keys(KINDS)));
  });
});

describe.each([64, 32] as const)('viewEvent and pushEvent, %d-bit entries', (bits) => {
  it('give the same row back, whatever its kind and columns', () => {
    fc.assert(
      fc.property(batches(bits), ({ batch, codec }) => {
        const copy = new EventBatch();
        for (let i = 0; i < batch.length; i++) pushEvent(copy, viewEvent(batch, i, codec), codec);
        expect(rowsOf(copy)).toEqual(rowsOf(batch));
      }),
    );
  });

  it('show events that the schema accepts as they are, through JSON too', () => {
    fc.assert(
      fc.property(batches(bits), ({ batch, codec }) => {
        for (let i = 0; i < batch.length; i++) {
          const event = viewEvent(batch, i, codec, 7 + i);
          expect(event.seq).toBe(7 + i);
          expect(parseEvent(JSON.parse(JSON.stringify(event)))).toEqual(event);
        }
      }),
    );
  });
});

import { setImmediate as turn } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { P2mError } from '../../../events/index.js';
import { unzipped } from '../../../replay/recording/unzipped.js';
import { bytesOf } from '../trace/trace_lines.js';

const text = bytesOf(Array.from({ length: 60_000 }, (_, i) => `line ${(i * 7919) % 65_537}\n`).join(''));
const zipped = gzipSync(text);

function* cut(bytes: Uint8Array, size: number): Generator<Uint8Array, void> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

/** What is yielded, and the error that ends it. */
async function read(
  chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
): Promise<{ bytes: Uint8Array; sizeMax: number; error: unknown }> {
  const pieces: Uint8Array[] = [];
  let error: unknown;
  try {
    for await (const piece of unzipped(chunks, 'a.gz')) pieces.push(piece);
  } catch (thrown) {
    error = thrown;
  }
  const sizeMax = pieces.reduce((most, { length }) => Math.max(most, length), 0);
  return { bytes: Buffer.concat(pieces), sizeMax, error };
}

function changed(at: number): Uint8Array {
  const bytes = Uint8Array.from(zipped);
  bytes[at]! ^= 0xff;
  return bytes;
}

function expectBeginning(bytes: Uint8Array, lengthMin: number): void {
  expect(bytes.length).toBeGreaterThanOrEqual(lengthMin);
  expect(Buffer.compare(bytes, text.subarray(0, bytes.length))).toBe(0);
}

describe('unzipped', () => {
  it.each([1, 2, 3, 1000, 65_536, 1 << 30])(
    'gives the text of a gzip that comes in chunks of %i bytes',
    async (size) => {
      const beginning = size < 1000 ? gzipSync(text.subarray(0, 20_000)) : zipped;
      const { bytes, error } = await read(cut(beginning, size));
      expect(error).toBeUndefined();
      expect(bytes).toHaveLength(size < 1000 ? 20_000 : text.length);
      expectBeginning(bytes, 20_000);
    },
  );

  it.each([0, 1, 2, 100])('gives %i bytes that are no gzip as they are', async (length) => {
    expect(await read(cut(text.subarray(0, length), 1))).toMatchObject({
      bytes: Buffer.from(text.subarray(0, length)),
    });
    expect(await read([text.subarray(0, length)])).toMatchObject({ error: undefined });
  });

  it('gives plain chunks without a copy, and pieces of bounded size', async () => {
    for await (const piece of unzipped([text], 'a')) expect(piece).toBe(text);
    expect((await read([gzipSync(new Uint8Array(20_000_000))])).sizeMax).toBeLessThanOrEqual(1 << 19);
  });

  it('reads files that were zipped apart and put together, and padding', async () => {
    const whole = Buffer.concat([zipped, gzipSync(bytesOf('the end\n')), new Uint8Array(1000)]);
    for (const size of [100, 65_536, whole.length]) {
      const { bytes, error } = await read(cut(whole, size));
      expect(error).toBeUndefined();
      expect(Buffer.from(bytes.subarray(text.length)).toString()).toBe('the end\n');
    }
    expect((await read([gzipSync(new Uint8Array(0))])).error).toBeUndefined();
  });

  it.each([2, 5, 11, 1000, 30_000, zipped.length - 8, zipped.length - 1])(
    'gives what stands before the cut after %i bytes, then refuses it',
    async (length) => {
      for (const size of [997, 1 << 30]) {
        const { bytes, error } = await read(cut(zipped.subarray(0, length), size));
        expect((error as Error).message).toBe(
          `a.gz:byte ${length}: gzip file is cut: got the end of the file, want more compressed data and a checksum`,
        );
        expect(error).toBeInstanceOf(P2mError);
        expectBeginning(bytes, length > 1000 ? length : 0);
        if (length >= zipped.length - 8) expect(bytes).toHaveLength(text.length);
      }
    },
  );

  it('gives most of what stands before damage, then says where that shows', async () => {
    for (const at of [2, 3, 40_000, zipped.length - 6, zipped.length - 2]) {
      const { bytes, error } = await read(cut(changed(at), 65_536));
      expect(error).toMatchObject({ exitCode: 3, complaint: { file: 'a.gz', expected: 'intact gzip data' } });
      expect((error as P2mError).complaint.byte).toBeLessThanOrEqual(zipped.length);
      if (at >= zipped.length - 6) expectBeginning(bytes, text.length / 2);
    }
  });

  it('refuses every change of one byte behind the header', async () => {
    for (let at = 10; at < zipped.length; at += 4999) {
      const { error } = await read([changed(at)]);
      expect((error as Error | undefined)?.message).toMatch(/^a\.gz:byte \d+: gzip file is (cut|damaged): /);
    }
  });

  it.each([[[1, 2, 3]], [[0, 0, 7]], [[0, ...zipped.subarray(0, 100)]]])(
    'refuses what stands behind the end (%#)',
    async (behind) => {
      for (const size of [1000, 1 << 30]) {
        const { bytes, error } = await read(cut(Uint8Array.from([...zipped, ...behind]), size));
        expect((error as Error).message).toContain('gzip file is damaged');
        expect((error as P2mError).complaint.byte).toBeGreaterThan(0.7 * zipped.length);
        expectBeginning(bytes, text.length / 2);
      }
    },
  );

  it('reads back what was zipped, however both are cut', async () => {
    const members = fc.array(fc.uint8Array({ maxLength: 3000 }), { minLength: 1, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(members, fc.integer({ min: 1, max: 700 }), async (parts, size) => {
        const whole = Buffer.concat(parts.map((part) => gzipSync(part)));
        const { bytes, error } = await read(cut(whole, size));
        expect(error).toBeUndefined();
        expect(Buffer.compare(bytes, Buffer.concat(parts))).toBe(0);
      }),
      { numRuns: 50 },
    );
  });

  it('tells the error of the file when all before it is given', async () => {
    async function* failing(): AsyncGenerator<Uint8Array, void> {
      yield zipped.subarray(0, 40_000);
      await turn();
      throw new Error('the disk is gone');
    }
    const { bytes, error } = await read(failing());
    expect(error).toMatchObject({ message: 'the disk is gone' });
    expectBeginning(bytes, 40_000);
  });

  it('leaves the file when the consumer leaves', async () => {
    for (const bytes of [text, zipped]) {
      let left = false;
      const chunks = (function* () {
        try {
          for (;;) yield* cut(bytes, 1000);
        } finally {
          left = true;
        }
      })();
      for await (const piece of unzipped(chunks, 'a.gz')) if (piece.length > 0) break;
      expect(left).toBe(true);
    }
  });

  it('inflates no more than a few pieces ahead of its consumer', async () => {
    const long = Buffer.concat(Array.from({ length: 40 }, () => zipped));
    let taken = 0;
    const chunks = (function* () {
      for (const chunk of cut(long, 4096)) {
        taken += chunk.length;
        yield chunk;
      }
    })();
    let given = 0;
    for await (const piece of unzipped(chunks, 'a.gz')) {
      given += piece.length;
      if (given < text.length) continue;
      for (let i = 0; i < 300; i++) await turn();
      break;
    }
    expect(taken).toBeGreaterThan(zipped.length);
    expect(taken).toBeLessThan(long.length / 4);
  });
});

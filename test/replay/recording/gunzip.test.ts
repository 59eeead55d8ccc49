import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { P2mError } from '../../../events/index.js';
import { gunzipIfNeeded, isGzip } from '../../../replay/recording/gunzip.js';
import { bytesOf } from '../trace/trace_lines.js';

const text = bytesOf(Array.from({ length: 5000 }, (_, i) => `line ${(i * 7919) % 65_537}\n`).join(''));
const zipped = gzipSync(text);

function changed(at: number): Uint8Array {
  const bytes = Uint8Array.from(zipped);
  bytes[at]! ^= 0xff;
  return bytes;
}

describe('gunzipIfNeeded', () => {
  it('unzips gzip, and leaves other bytes as they are', () => {
    expect(Buffer.compare(gunzipIfNeeded(zipped, 'a.gz'), text)).toBe(0);
    expect(gunzipIfNeeded(text, 'a.txt')).toBe(text);
    expect(isGzip(zipped)).toBe(true);
    expect(isGzip(new Uint8Array([0x1f]))).toBe(false);
  });

  it('unzips files that were zipped apart and put together', () => {
    expect(gunzipIfNeeded(new Uint8Array([...zipped, ...zipped]), 'a.gz')).toHaveLength(2 * text.length);
  });

  it.each([2, 5, 11, 1000, zipped.length - 8, zipped.length - 1])('refuses a gzip cut after %i bytes', (length) => {
    expect(() => gunzipIfNeeded(zipped.subarray(0, length), 'a.gz')).toThrow(
      `a.gz:byte ${length}: gzip file is cut: got the end of the file, want more compressed data and a checksum`,
    );
  });

  it.each([
    [2, 'unknown compression method', 0],
    [3, 'unknown header flags set', 0],
    [zipped.length - 6, 'incorrect data check', zipped.length - 64],
    [zipped.length - 2, 'incorrect length check', zipped.length - 64],
  ])('refuses a gzip whose byte %i is changed', (at, reason, byteMin) => {
    let error: unknown;
    try {
      gunzipIfNeeded(changed(at), 'a.gz');
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(P2mError);
    expect(error).toMatchObject({ exitCode: 3, complaint: { file: 'a.gz', got: reason } });
    const byte = (error as P2mError).complaint.byte!;
    expect(byte).toBeGreaterThanOrEqual(byteMin);
    expect(byte).toBeLessThanOrEqual(at);
  });

  it('refuses every change of one byte behind the header', () => {
    for (let at = 10; at < zipped.length; at += 97) {
      expect(() => gunzipIfNeeded(changed(at), 'a.gz')).toThrow(/^a\.gz:byte \d+: gzip file is (cut|damaged): /);
    }
  });

  it('refuses what stands behind the end', () => {
    expect(() => gunzipIfNeeded(new Uint8Array([...zipped, 1, 2, 3]), 'a.gz')).toThrow('gzip file is damaged');
  });
});

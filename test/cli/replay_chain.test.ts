import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { addReplay } from '../../cli/replay.js';
import { LogWriter } from '../../events/index.js';
import { headerOf } from '../../replay/index.js';
import { treeDomain } from '../src/tree_domain.js';
import { runVerb } from './in_process.js';

vi.mock('../../cli/output.js', async () => (await import('./in_process.js')).keptOutput);

const folder = mkdtempSync(join(tmpdir(), 'p2m-test-'));
afterAll(() => rmSync(folder, { recursive: true }));

function written(): Uint8Array {
  const domain = treeDomain({ kernel: '3.18', nrPages: 9, identity: [[6, 13]] });
  const parts: Uint8Array[] = [];
  const writer = new LogWriter((bytes) => parts.push(bytes.slice()), headerOf(domain), domain.memory.codec);
  writer.append(domain.batch);
  writer.close();
  return Buffer.concat(parts);
}

/** The file with another chain in its first block, and a checksum of the block's header that is right. */
function withOtherChain(file: Uint8Array): Uint8Array {
  const bytes = Uint8Array.from(file);
  const view = new DataView(bytes.buffer);
  const block = 72 + view.getUint32(12, true);
  bytes[block + 40]! ^= 1;
  view.setUint32(block + 68, crc32(bytes.subarray(block, block + 68)), true);
  return bytes;
}

async function replayed(name: string, bytes: Uint8Array, ...options: string[]): Promise<[string, unknown]> {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  const { stdout, stderr } = await runVerb(addReplay, ['replay', '--memory', 'paged', ...options, path]);
  const { exitCode } = process;
  process.exitCode = undefined;
  return [[...stdout, stderr].join('\n'), exitCode];
}

describe('p2m replay --chain', () => {
  it('plays a log whose chain is its own', async () => {
    const [text, code] = await replayed('whole.p2mlog', written(), '--chain');
    expect(text).toContain('verdict: ok');
    expect(code).toBe(0);
  });

  it('refuses one whose chain was changed, checksums and all, which a replay without it takes', async () => {
    const other = withOtherChain(written());
    const [text, code] = await replayed('other.p2mlog', other, '--chain');
    expect(text).toContain('the chain is broken');
    expect(code).toBe(3);
    expect((await replayed('other.p2mlog', other))[1]).toBe(0);
  });
});

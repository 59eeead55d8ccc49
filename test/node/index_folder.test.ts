import fc from 'fast-check';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { indexFolderOf, IndexFolder } from '../../node/index_folder.js';
import { IndexBuilder } from '../../replay/audit/index/index_builder.js';
import { changesOf, ChainedLog, faultsOf, smallIndex, tinyLogs, blocksOf } from '../replay/audit/index_logs.js';

const root = mkdtempSync(join(tmpdir(), 'p2m-index-'));
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(root, { recursive: true, force: true });
});

function someLog(): ReturnType<typeof blocksOf> {
  const logs = fc.sample(tinyLogs(), { numRuns: 20, seed: 1 });
  return blocksOf(
    logs.reduce((longest, log) => (log.events > longest.events ? log : longest)),
    10,
  );
}

describe('IndexFolder', () => {
  it('is beside a log in a file', () => {
    expect(indexFolderOf('/tmp/none.p2mlog')).toBe('/tmp/none.p2mlog.index');
  });

  it('keeps an index that is used again, and goes on where the log has grown', () => {
    const log = someLog();
    const whole = new ChainedLog(log, log.blocks);
    const changes = changesOf(whole);
    const half = new ChainedLog(log, log.blocks >>> 1);
    smallIndex(half, new IndexFolder(join(root, 'index'))).coverTo();
    const again = smallIndex(whole, new IndexFolder(join(root, 'index')));
    expect(again.events).toBeGreaterThan(0);
    expect(faultsOf(whole, again, changes)).toEqual([]);
    const step = vi.spyOn(IndexBuilder.prototype, 'step');
    const third = smallIndex(whole, new IndexFolder(join(root, 'index')));
    third.coverTo(third.events);
    expect(step).not.toHaveBeenCalled();
    expect(faultsOf(whole, third, changes)).toEqual([]);
  });

  it('drops what is damaged, whichever byte it is, and builds it anew', () => {
    const log = someLog();
    const whole = new ChainedLog(log, log.blocks);
    const changes = changesOf(whole);
    const folder = new IndexFolder(join(root, 'index'));
    smallIndex(whole, folder).coverTo();
    const names = folder.list();
    expect(names.length).toBeGreaterThan(2);
    names.forEach((name, i) => {
      const path = join(folder.name, name);
      if (folder.size(name) < 0) return;
      const bytes = readFileSync(path);
      const at = (i * 7919) % bytes.length;
      bytes[at]! ^= 1 << (i % 8);
      writeFileSync(path, bytes);
      expect(faultsOf(whole, smallIndex(whole, folder), changes)).toEqual([]);
    });
  });

  it('is not used for another log', () => {
    const log = someLog();
    smallIndex(new ChainedLog(log, log.blocks), new IndexFolder(join(root, 'index'))).coverTo();
    const other = blocksOf(log, 9);
    expect(smallIndex(new ChainedLog(other, other.blocks), new IndexFolder(join(root, 'index'))).events).toBe(0);
  });
});

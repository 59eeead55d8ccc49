import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { logTo, P2mError, readLog } from '../../events/index.js';
import { NodeLogFile, readFilePieces } from '../../node/index.js';
import { EventPlayer, stateDigest } from '../../replay/index.js';
import { bootEngine } from '../../src/library.js';
import { temporaryFolder } from '../cli/run_p2m.js';

describe('NodeLogFile', () => {
  it('holds what was written, in order, and empties a file that is there', () => {
    const path = join(temporaryFolder(), 'a');
    for (const texts of [
      ['one', 'two', 'three'],
      ['', 'four'],
    ]) {
      const file = new NodeLogFile(path);
      for (const text of texts) file.write(Buffer.from(text));
      file.close();
      expect(readFileSync(path, 'utf8')).toBe(texts.join(''));
    }
  });

  it('says which file cannot be written', async () => {
    expect(() => new NodeLogFile('/nonexistent/a')).toThrow(/\/nonexistent\/a: cannot write: got ENOENT/);
    const file = new NodeLogFile(join(temporaryFolder(), 'a'));
    await file.sync();
    file.close();
    expect(() => file.write(Buffer.from('a'))).toThrow(P2mError);
    await expect(file.sync()).rejects.toThrow('cannot write: got EBADF');
  });
});

describe('readFilePieces', () => {
  it('says which file cannot be read', async () => {
    const pieces = readFilePieces('/nonexistent/a');
    await expect(pieces.next()).rejects.toThrow(/\/nonexistent\/a: cannot read: got ENOENT/);
  });
});

describe.each(['p2mlog', 'jsonl'] as const)('a live engine whose log is a %s file', (format) => {
  it('is replayed into the same state', async () => {
    const path = join(temporaryFolder(), `run.${format}`);
    const log = logTo(new NodeLogFile(path), { format, syncEach: true });
    const engine = bootEngine({ kernel: '6.1', geometry: 'tiny', nrPages: 64, cpus: 2, log });
    for (let i = 0; i < 200; i++) {
      await engine.execute([
        { operation: 'set_phys_to_machine', pfn: (i * 7) % 64, value: i % 5 === 0 ? '~' : `m:${i}`, cpu: i % 2 },
        { operation: 'look_up', pfn: (i * 11) % 64 },
      ]);
    }
    // A value that has no short form goes through the log by value.
    await engine.execute({ operation: '__set_phys_to_machine', pfn: 3, value: '0x123456789abcdef' });
    await engine.close();
    for (const memory of ['paged', 'flat'] as const) {
      const opened = await readLog(readFilePieces(path), path);
      expect(opened.header).toEqual(engine.header);
      const player = new EventPlayer(opened.header, opened.codec, path, memory);
      for await (const { batch, seq } of opened) player.play(batch, seq);
      expect(player.events).toBe(engine.appended);
      expect(player.digest()).toEqual(stateDigest(engine.domain.memory));
    }
  });
});

import { describe, expect, it } from 'vitest';
import { recordingFolder } from '../../node/index.js';
import { replayRecording } from '../../replay/index.js';

describe('recordingFolder', () => {
  const files = recordingFolder('test/recordings/k61-512M-hold');

  it('is what a recording is replayed from', async () => {
    const report = await replayRecording(files, { memory: 'flat' });
    expect([report.verdict, report.events]).toEqual(['ok', 628]);
  });

  it.each(['../k61-512M-hold/replay.json', '..', '.hidden', 'nothing', 'a\\b'])('has no file %s', (name) => {
    expect([files.read(name), files.open(name)]).toEqual([undefined, undefined]);
  });
});

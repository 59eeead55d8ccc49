import { describe, expect, it } from 'vitest';
import { stderrLog } from '../../node/index.js';
import { bootEngine } from '../../src/library.js';

describe('stderrLog', () => {
  it('has the level that it is given, or info where there is none of that name', async () => {
    expect((await stderrLog('error')).level).toBe('error');
    expect((await stderrLog('silent')).level).toBe('silent');
  });

  it("is an engine's logger", async () => {
    expect(bootEngine({ geometry: 'tiny', nrPages: 32, logger: await stderrLog('silent') }).entryOf(0)).toBe('m:1000');
  });
});

import { parquetReadObjects } from 'hyparquet';
import { describe, expect, it } from 'vitest';
import { exported, exploredLog, IDENTITY_RACE } from './exported.js';

/** The events of the race itself, behind the boot: the last ones of a log that is always the same. */
const LAST = 40;
const { log } = exploredLog({ kernel: '3.19', ...IDENTITY_RACE });

function lastLines(text: string): string {
  return `${text.trimEnd().split('\n').slice(-LAST).join('\n')}\n`;
}

describe('exportLog', () => {
  it.each(['jsonl', 'chrome', 'jepsen'] as const)('writes a race as %s as it always has', async (format) => {
    await expect(lastLines(exported(log, format).bytes.toString())).toMatchFileSnapshot(`golden/race.${format}.txt`);
  });

  it('writes a race as Parquet as it always has', async () => {
    const bytes = new Uint8Array(exported(log, 'parquet').bytes);
    const rows = await parquetReadObjects({ file: bytes.buffer });
    const text = rows
      .slice(-LAST)
      .map((row) =>
        JSON.stringify(Object.fromEntries(Object.entries(row).filter(([, value]) => value !== null)), bigints),
      )
      .join('\n');
    await expect(`${text}\n`).toMatchFileSnapshot('golden/race.parquet.txt');
  });
});

/** JSON has none. */
function bigints(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value;
}

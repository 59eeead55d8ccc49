import { describe, expect, it } from 'vitest';
import { linesWith, recordingFiles, replay, withFile, withLines, type FileSet } from './recordings.js';

const hold = recordingFiles('k61-512M-hold');
const LOG = 'trace.txt.gz';

/** The recording with the word of a pfn in a dump replaced. */
function withWord(files: FileSet, dump: string, pfn: number, word: bigint): FileSet {
  const name = `p2m-${dump}.bin.gz`;
  const bytes = new Uint8Array(files.get(name)!);
  const view = new DataView(bytes.buffer);
  expect(view.getBigUint64(8 * pfn, true)).not.toBe(word);
  view.setBigUint64(8 * pfn, word, true);
  return withFile(files, name, bytes);
}

/** The recording replayed against the checkpoint only: dump `after` is where it starts. */
const toMapped = withFile(
  hold,
  'replay.json',
  JSON.stringify({
    kernel: '6.1',
    steps: [
      {
        from: 'after',
        log: LOG,
        to: null,
        checkpoints: [{ dump: 'mapped', after: 'set_foreign_p2m_mapping_ret', before: 'clear_foreign_p2m_mapping' }],
      },
    ],
  }),
);

describe('replayRecording against an altered dump', () => {
  it('tells each word of a checkpoint that differs, with the line that wrote it last', async () => {
    const line = linesWith(hold, LOG, /: __set_phys_to_machine: .*pfn=0x4fff7 /)[0]!;
    const files = withWord(withWord(toMapped, 'mapped', 0x4fff7, 0x77n), 'mapped', 0x5, 0xffff_ffff_ffff_ffffn);
    const report = await replay(files);
    expect(report).toMatchObject({ verdict: 'violated', exitCode: 1, divergenceCount: 2, final: null });
    expect(report.divergences).toMatchObject([
      { line: 0, operation: 'entry of dump mapped', pfn: '0x5', actual: '0xffffffffffffffff' },
      { line, operation: 'entry of dump mapped', pfn: '0x4fff7', expected: '0x80000000000615a8', actual: '0x77' },
    ]);
    expect(report.steps[0]).toMatchObject({ verdict: 'violated', checkpoints: [{ dump: 'mapped', differences: 2 }] });
  });

  it('tells the words of the final list that differ', async () => {
    const report = await replay(withWord(hold, 'after', 0x4fff7, 0x77n));
    // The same dump is the start and the end: the log has made the word INVALID again.
    expect(report.divergences).toMatchObject([
      { line: expect.any(Number) as number, operation: 'get_phys_to_machine look-up', expected: '0x77' },
      { operation: '__set_phys_to_machine step', expected: 'a pfn that a look-up has found INVALID' },
      { operation: 'entry of dump after', pfn: '0x4fff7', expected: '0xffffffffffffffff', actual: '0x77' },
    ]);
    expect(report).toMatchObject({ verdict: 'violated', final: { differences: 1 } });
  });

  it.each([
    ['[0x48000,0x50000) own flags=0x8010000000000007', '[0x48000,0x50000) own flags=0x8010000000000005', 64],
    ['[0x50000,0x80000) identity flags', '[0x50000,0x80000) missing flags', 384],
    ['identity pte_page=p2m_identity_pte', 'identity pte_page=p2m_missing_pte', 261_120],
  ])('tells each page of the list that is not %j but %j', async (from, to, differences) => {
    const files = withLines(toMapped, 'p2m-mapped.pt.txt', (lines) => lines.map((line) => line.replace(from, to)));
    const report = await replay(files);
    expect(report).toMatchObject({ verdict: 'violated', exitCode: 1, divergenceCount: differences });
    expect(report.divergences[0]).toMatchObject({ line: 0, operation: 'page kind of dump mapped' });
    expect(report.divergences[0]!.expected).not.toBe(report.divergences[0]!.actual);
  });

  it('says what a page of the list is and what it was recorded as', async () => {
    const files = withLines(toMapped, 'p2m-mapped.pt.txt', (lines) =>
      lines.map((line) =>
        line.replace('[0x48000,0x50000) own flags=0x8010000000000007', '[0x48000,0x50000) own flags=0x5'),
      ),
    );
    expect((await replay(files)).divergences[0]).toMatchObject({
      pfn: '0x48000',
      expected: 'own writable in own_pte',
      actual: 'own read-only in own_pte',
    });
  });

  it('tells another xen_p2m_last_pfn', async () => {
    const files = withLines(toMapped, 'p2m-mapped.info', (lines) =>
      lines.map((line) => line.replace(/^(sym xen_p2m_last_pfn .*value=)0x50000/, '$10x4ffff')),
    );
    expect(await replay(files)).toMatchObject({
      verdict: 'violated',
      divergenceCount: 1,
      divergences: [
        { operation: 'xen_p2m_last_pfn of dump mapped', expected: '0x50000', actual: '0x4ffff', line: 0, file: LOG },
      ],
    });
  });

  it('counts stores past the last pfn of the dump it starts from', async () => {
    const short = (name: string): [string, Uint8Array] => [name, hold.get(name)!.subarray(0, 8 * 0x4fff8)];
    const files = new Map([...hold, short('p2m-after.bin.gz'), short('p2m-mapped.bin.gz')]);
    files.delete('p2m-after.info');
    files.delete('p2m-mapped.info');
    const report = await replay(files);
    expect(report).toMatchObject({ verdict: 'ok', final: { compared: 0x4fff8, differences: 0 } });
    expect(report.steps[0]!.checkpoints[0]!.beyond).toBeGreaterThan(0);
    expect(report.final!.beyond).toBe(2 * report.steps[0]!.checkpoints[0]!.beyond);
  });
});

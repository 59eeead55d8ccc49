import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  findings,
  linesWith,
  recordingFiles,
  replay,
  textOf,
  withFile,
  withLines,
  type FileSet,
} from './recordings.js';

const FOLDER = fileURLToPath(new URL('../../../../shared/recordings/k61-516M-earlyboot', import.meta.url));
const LOG = 'earlyboot-calls.txt.gz';
/** The second line of the file is call 2; the note is line 6, after call 5: from there on line n is call n - 1. */
const NOTE = 6;
const VMALLOC = 5;

/** Skipped where the large recordings are absent. */
describe.skipIf(!existsSync(FOLDER))('replayRecording of an early boot', () => {
  let boot: FileSet;
  beforeAll(() => {
    boot = recordingFiles(FOLDER);
  });

  const altered = (line: number, from: string | RegExp, to: string): FileSet =>
    withLines(boot, LOG, (lines) => {
      const changed = lines[line - 1]!.replace(from, to);
      expect(changed).not.toBe(lines[line - 1]);
      return lines.with(line - 1, changed);
    });
  const without = (line: number): FileSet => withLines(boot, LOG, (lines) => lines.toSpliced(line - 1, 1));

  it.each([
    [8, /pfn=0x20000/, 'pfn=0x20077', '__set_phys_to_machine pfn'],
    [8, /mfn=0xf+/, 'mfn=0x5', '__set_phys_to_machine mfn'],
    [9, /pfn=0x20000/, 'pfn=0x20400', 'xen_alloc_p2m_entry pfn'],
    [10, /pfn=0x20000/, 'pfn=0x20001', '__set_phys_to_machine pfn'],
  ])('tells line %i, whose value is not that of the call around it', async (line, from, to, operation) => {
    const report = await replay(altered(line, from, to));
    expect(report).toMatchObject({ verdict: 'violated', exitCode: 1, divergenceCount: 1 });
    expect(report.divergences[0]).toMatchObject({ line, operation });
  });

  it.each([1, 20, 100])('is incomplete without line %i, whose number is missed', async (line) => {
    expect(await replay(without(line))).toMatchObject({ verdict: 'incomplete', exitCode: 4, lost: { events: 1 } });
  });

  it('tells a note whose xen_p2m_size is not the model’s', async () => {
    const report = await replay(altered(NOTE, 'xen_p2m_size=0x20000', 'xen_p2m_size=0x20200'));
    expect(findings(report).found).toEqual([`${NOTE} xen_vmalloc_p2m_tree xen_p2m_size 0x0: 0x20200, not 0x20000`]);
  });

  it('takes xen_max_p2m_pfn from the note, and compares xen_p2m_last_pfn by it', async () => {
    const report = await replay(altered(NOTE, 'xen_max_p2m_pfn=0x20461', 'xen_max_p2m_pfn=0x20661'));
    expect(report).toMatchObject({ verdict: 'violated', divergenceCount: 1 });
    expect(report.divergences[0]).toMatchObject({ operation: 'xen_p2m_last_pfn of dump boot', expected: '0x20661' });
  });

  it('does not know xen_p2m_last_pfn without the note', async () => {
    expect(await replay(without(NOTE))).toMatchObject({ verdict: 'ok', divergenceCount: 0 });
  });

  it('names the line that wrote the pfn where the checkpoint before xen_vmalloc_p2m_tree contradicts it', async () => {
    const report = await replay(altered(3, 'pfn_s=0x9f', 'pfn_s=0x9e'));
    expect(report).toMatchObject({ verdict: 'violated', steps: [{ checkpoints: [{ differences: 1 }] }] });
    expect(report.divergences[0]).toMatchObject({
      line: 3,
      pfn: '0x9e',
      operation: 'entry of dump before-vmalloc-tree',
      expected: '0x400000000000009e',
    });
    expect(linesWith(boot, LOG, /xen_vmalloc_p2m_tree/)).toEqual([VMALLOC]);
  });

  it.each([
    [0x20010, 'a remapped frame'],
    [0x1da05, 'a frame of a contiguous region'],
  ])('names the last line that wrote pfn %i where the booted list contradicts it', async (pfn) => {
    const words = Uint8Array.from(boot.get('p2m-boot.bin.gz')!);
    words.set([0x55, 0, 0, 0, 0, 0, 0, 0], 8 * pfn);
    const report = await replay(withFile(boot, 'p2m-boot.bin.gz', words));
    expect(report).toMatchObject({ verdict: 'violated', divergenceCount: 1, final: { differences: 1 } });
    const { line, actual } = report.divergences[0]!;
    expect(actual).toBe('0x55');
    const writers = linesWith(boot, LOG, new RegExp(`set_phys_to_machine: .* pfn=0x${pfn.toString(16)} `));
    // The outermost of the calls: the line before that of the call inside.
    expect(writers.slice(-2)).toContain(line);
    expect(textOf(boot, LOG).split('\n')[line - 1]).toContain(`pfn=0x${pfn.toString(16)} `);
  });

  it('refuses calls whose numbers do not rise', async () => {
    const swapped = withLines(boot, LOG, (lines) => [
      ...lines.slice(0, 30),
      lines[31]!,
      lines[30]!,
      ...lines.slice(32),
    ]);
    expect(await replay(swapped)).toMatchObject({ exitCode: 3, error: { file: LOG, line: 32 } });
  });
});

import { describe, expect, it } from 'vitest';
import { findings, linesWith, recordingFiles, replay, withFile, withLines, type FileSet } from './recordings.js';

const hold = recordingFiles('k61-512M-hold');
const balloon = recordingFiles('k61-512M-balloon');
const LOG = 'trace.txt.gz';
const UP = 'trace-2-up.txt.gz';

/** The log alone, without a dump to compare with: twice as fast. */
const holdLog = replaying(hold, { from: 'after', log: LOG, to: null });
const up = replaying(balloon, { from: 'down', log: UP, to: 'up' });
const upLog = replaying(balloon, { from: 'down', log: UP, to: null });

function replaying(files: FileSet, step: object): FileSet {
  return withFile(files, 'replay.json', JSON.stringify({ kernel: '6.1', steps: [step] }));
}

/** The recording with one line of a log changed. */
function altered(files: FileSet, log: string, line: number, from: string | RegExp, to: string): FileSet {
  return withLines(files, log, (lines) => {
    const before = lines[line - 1]!;
    lines[line - 1] = before.replace(from, to);
    expect(lines[line - 1]).not.toBe(before);
    return lines;
  });
}

/** Line number of the n-th line that matches. */
function nth(files: FileSet, log: string, pattern: RegExp, n: number): number {
  return linesWith(files, log, pattern)[n]!;
}

describe('replayRecording of an altered log', () => {
  it.each([
    ['__set_phys_to_machine_ret', 100, 'ret=1', 'ret=0', '0, not 1'],
    ['xen_alloc_p2m_entry_ret', 7, 'ret=0', 'ret=-12', '-12, not 0'],
    ['xen_alloc_p2m_entry_ret', 8, 'ret=0', 'ret=0xfffffff4', '-12, not 0'],
    ['get_phys_to_machine_ret', 3, 'mfn=0xffffffffffffffff', 'mfn=0x77', '0x77, not 0xffffffffffffffff'],
  ])('tells the line of an altered %s', async (event, n, from, to, what) => {
    const line = nth(hold, LOG, new RegExp(`: ${event}: `), n);
    const report = await replay(altered(holdLog, LOG, line, from, to));
    const divergence = report.divergences[0]!;
    expect(findings(report)).toEqual({
      verdict: 'violated',
      exitCode: 1,
      found: [
        expect.stringMatching(new RegExp(`^${line} ${event.replace('_ret', '')}( look-up)? 0x[0-9a-f]+: ${what}$`)),
      ],
    });
    expect(divergence).toMatchObject({ file: LOG, line, cpu: 0, task: 'gnt-379' });
    expect(divergence.text).toContain(to);
  });

  it.each([
    ['pfn', /pfn=0x[0-9a-f]+/, 'pfn=0x12345'],
    ['mfn', /mfn=0x[0-9a-f]+/, 'mfn=0x12345'],
  ])('tells the line of a nested call whose %s is not that of the call around it', async (what, from, to) => {
    const line = nth(up, UP, /: __set_phys_to_machine: /, 1000);
    const report = await replay(altered(upLog, UP, line, from, to));
    expect(report).toMatchObject({ verdict: 'violated', exitCode: 1, divergenceCount: 1 });
    expect(report.divergences[0]).toMatchObject({ line, operation: `__set_phys_to_machine ${what}` });
    expect(report.divergences[0]!.actual).toMatch(/12345$/);
  });

  it('names the line that wrote the pfn last where the final list contradicts an altered store', async () => {
    const line = nth(up, UP, /: set_phys_to_machine: /, 2000);
    const nested = altered(up, UP, line + 1, /mfn=0x[0-9a-f]+/, 'mfn=0x12345');
    const report = await replay(altered(nested, UP, line, /mfn=0x[0-9a-f]+/, 'mfn=0x12345'));
    expect(report).toMatchObject({ verdict: 'violated', exitCode: 1, divergenceCount: 1 });
    expect(report.divergences[0]).toMatchObject({
      line,
      operation: 'entry of dump up',
      expected: '0x12345',
    });
    expect(report.final).toMatchObject({ differences: 1 });
  });

  it('names it at the checkpoint where the list is right again at the end', async () => {
    const line = nth(hold, LOG, /: __set_phys_to_machine: .*mfn=0x8/, 5);
    const report = await replay(altered(hold, LOG, line, /mfn=0x80000000000[0-9a-f]+/, 'mfn=0x8000000000054321'));
    expect(report).toMatchObject({ verdict: 'violated', exitCode: 1, divergenceCount: 1 });
    expect(report.divergences[0]).toMatchObject({ line, operation: 'entry of dump mapped' });
    expect(report.steps[0]!.checkpoints).toMatchObject([{ differences: 1 }]);
    expect(report.final).toMatchObject({ differences: 0 });
  });

  it.each([
    ['set_foreign_p2m_mapping', 'count=79', '78, not 79 FOREIGN stores after an INVALID look-up'],
    ['set_foreign_p2m_mapping', 'count=77', '78, not 77 FOREIGN stores after an INVALID look-up'],
    ['clear_foreign_p2m_mapping', 'count=79', '78, not 79 INVALID stores over FOREIGN'],
  ])('tells the return of a %s with %s', async (event, count, what) => {
    const line = linesWith(hold, LOG, new RegExp(`: ${event}: `))[0]!;
    const end = linesWith(hold, LOG, new RegExp(`: ${event}_ret: `))[0]!;
    const report = await replay(altered(holdLog, LOG, line, /count=\d+/, count));
    expect(findings(report)).toEqual({ verdict: 'violated', exitCode: 1, found: [`${end} ${event} 0x0: ${what}`] });
  });

  it('does not ask how often a grant operation that failed has stored', async () => {
    const line = linesWith(hold, LOG, /: set_foreign_p2m_mapping_ret: /)[0]!;
    const report = await replay(altered(holdLog, LOG, line, 'ret=0', 'ret=-12'));
    expect(report).toMatchObject({ verdict: 'ok', unchecked: { returns: 1 } });
  });

  it('goes on from its own state after a divergence', async () => {
    const lines = [50, 60, 70].map((n) => nth(up, UP, /: set_phys_to_machine_ret: /, n));
    let files = upLog;
    for (const line of lines) files = altered(files, UP, line, 'ret=1', 'ret=0');
    expect((await replay(files)).divergences.map(({ line }) => line)).toEqual(lines);
  });

  it('keeps the first thousand divergences and counts all', async () => {
    const files = withLines(upLog, UP, (lines) => lines.map((line) => line.replace('ret=1', 'ret=0')));
    const report = await replay(files);
    expect(report.divergences).toHaveLength(1000);
    expect(report.divergenceCount).toBe(2 * 6144);
  });
});

describe('replayRecording of a log that lacks lines', () => {
  const returns = (n: number): number => nth(hold, LOG, /: __set_phys_to_machine_ret: /, n);
  const without = (files: FileSet, log: string, ...gone: number[]): FileSet =>
    withLines(files, log, (lines) => lines.filter((_, i) => !gone.includes(i + 1)));

  it.each([
    ['a return inside a grant operation', returns(30), { lines: 1, returns: 1 }],
    ['an entry inside a grant operation', returns(30) - 1, { lines: 1, returns: 1 }],
    ['both lines of a call', [returns(30) - 1, returns(30)], { lines: 2, returns: 0 }],
    ['the first entry', 13, { lines: 1, returns: 1 }],
    ['the first return', 14, { lines: 1, returns: 1 }],
    ['the last return', 640, { lines: 1, returns: 0 }],
    ['the entry that a checkpoint waits for', linesWith(hold, LOG, /: clear_foreign_p2m_mapping: /), { returns: 1 }],
    ['the return that a checkpoint waits for', linesWith(hold, LOG, /: set_foreign_p2m_mapping_ret: /), { lines: 1 }],
    ['the return of a look-up', nth(hold, LOG, /: get_phys_to_machine_ret: /, 5), { lines: 1, returns: 1 }],
    ['the entry of a look-up', nth(hold, LOG, /: get_phys_to_machine: /, 5), { lines: 1, returns: 1 }],
  ] as const)('is incomplete without %s', async (_, gone, lost) => {
    const report = await replay(without(hold, LOG, ...[gone].flat()));
    expect(report).toMatchObject({ verdict: 'incomplete', exitCode: 4, lost });
  });

  it.each([0, 1, 2, 3])(
    'is incomplete without line %i of a set_phys_to_machine and its nested call',
    async (offset) => {
      const line = nth(up, UP, /: set_phys_to_machine: /, 3000) + offset;
      const report = await replay(without(upLog, UP, line));
      expect(report).toMatchObject({ verdict: 'incomplete', exitCode: 4, lost: { events: 0, lines: 1, returns: 1 } });
    },
  );

  it('is incomplete without 200 returns of one task, however deep that seems to nest', async () => {
    const gone = linesWith(up, UP, /: set_phys_to_machine_ret: /).slice(0, 200);
    const report = await replay(without(upLog, UP, ...gone));
    expect(report).toMatchObject({ verdict: 'incomplete', exitCode: 4, lost: { lines: 200, returns: 200 } });
  });

  it('is incomplete where the tracer says that events were lost', async () => {
    const said = (text: string) => (lines: string[]) => lines.toSpliced(99, 0, text);
    expect(await replay(withLines(holdLog, LOG, said('CPU:1 [LOST 123 EVENTS]')))).toMatchObject({
      verdict: 'incomplete',
      exitCode: 4,
      divergenceCount: 0,
      lost: { events: 123, lines: 0, returns: 0 },
    });
    expect(await replay(withLines(holdLog, LOG, said('CPU:1 [LOST EVENTS]')))).toMatchObject({
      verdict: 'incomplete',
      lost: { events: 1 },
    });
  });

  it('is incomplete where the header says that events were overwritten, or that there are more lines', async () => {
    const header = (text: string) => withLines(holdLog, LOG, (lines) => lines.map((l) => l.replace('628/628', text)));
    expect(await replay(header('628/700'))).toMatchObject({ verdict: 'incomplete', exitCode: 4, lost: { events: 72 } });
    expect(await replay(header('630/630'))).toMatchObject({ verdict: 'incomplete', exitCode: 4, lost: { lines: 2 } });
  });

  it('is violated where something contradicts the model before the first loss, and only then', async () => {
    const early = altered(holdLog, LOG, returns(10), 'ret=1', 'ret=0');
    expect(await replay(without(early, LOG, returns(30)))).toMatchObject({ verdict: 'violated', exitCode: 1 });
    const late = altered(holdLog, LOG, returns(50), 'ret=1', 'ret=0');
    expect(await replay(without(late, LOG, returns(30)))).toMatchObject({ verdict: 'incomplete', exitCode: 4 });
    expect((await replay(without(late, LOG, returns(30)))).divergences[0]).toMatchObject({ line: returns(50) - 1 });

    const lost = (files: FileSet, line: number): FileSet =>
      withLines(files, LOG, (lines) => lines.toSpliced(line, 0, 'CPU:0 [LOST 5 EVENTS]'));
    expect(await replay(lost(early, returns(30)))).toMatchObject({ verdict: 'violated', exitCode: 1 });
    expect(await replay(lost(late, returns(30)))).toMatchObject({ verdict: 'incomplete', exitCode: 4 });
  });

  it('is incomplete, not violated, where the final list shows what the lost lines did', async () => {
    const report = await replay(
      without(up, UP, ...[0, 1, 2, 3].map((i) => nth(up, UP, /: set_phys_to_machine: /, 3000) + i)),
    );
    expect(report).toMatchObject({ verdict: 'incomplete', exitCode: 4, divergenceCount: 1 });
    expect(report.divergences[0]).toMatchObject({ operation: 'entry of dump up' });
  });
});

describe('replayRecording of a log without some probes', () => {
  const unprobed = (files: FileSet, log: string, ...events: string[]): FileSet =>
    withLines(files, log, (lines) => {
      const kept = lines.filter((line) => !events.some((event) => line.includes(` ${event}: `)));
      const gone = lines.length - kept.length;
      expect(gone).toBeGreaterThan(0);
      return kept.map((line) => line.replace(/(\d+)\/(\d+)(?= +#P)/, (_, n: string) => `${+n - gone}/${+n - gone}`));
    });

  it.each([
    [['__set_phys_to_machine_ret'], { returns: 6144, lookups: 0 }, { returns: 6144 }],
    [['set_phys_to_machine_ret'], { returns: 6144, lookups: 0 }, { returns: 6144 }],
    [['set_phys_to_machine_ret', '__set_phys_to_machine_ret'], { returns: 12_288, lookups: 0 }, { returns: 0 }],
    [['__set_phys_to_machine', '__set_phys_to_machine_ret'], { returns: 0, lookups: 0 }, { returns: 6144 }],
    [['set_phys_to_machine', 'set_phys_to_machine_ret'], { returns: 0, lookups: 0 }, { returns: 6144 }],
    [
      ['set_phys_to_machine', 'set_phys_to_machine_ret', '__set_phys_to_machine_ret'],
      { returns: 6144 },
      { returns: 0 },
    ],
  ])('is ok without %j, and counts what is not checked', async (events, unchecked, checked) => {
    const report = await replay(unprobed(up, UP, ...events));
    expect(report).toMatchObject({ verdict: 'ok', divergenceCount: 0, unchecked, checked });
    expect(Object.values(report.operations)).toEqual([6144]);
    expect(report.overlaps).toBe(0);
  });

  it.each([
    [['get_phys_to_machine_ret'], { returns: 0, lookups: 78 }],
    [['get_phys_to_machine', 'get_phys_to_machine_ret'], { returns: 0, lookups: 0 }],
    [['xen_alloc_p2m_entry_ret'], { returns: 78, lookups: 0 }],
    [['__set_phys_to_machine_ret', 'get_phys_to_machine_ret'], { returns: 156, lookups: 78 }],
    [['clear_foreign_p2m_mapping_ret'], { returns: 1, lookups: 0 }],
  ])('is ok without %j around grants', async (events, unchecked) => {
    const report = await replay(unprobed(hold, LOG, ...events));
    expect(report).toMatchObject({ verdict: 'ok', divergenceCount: 0, unchecked });
    expect(report.operations).toEqual({
      xen_alloc_p2m_entry: 78,
      set_foreign_p2m_mapping: 1,
      clear_foreign_p2m_mapping: 1,
    });
  });

  it('still finds an altered return where other returns are not probed', async () => {
    const files = unprobed(up, UP, 'set_phys_to_machine_ret');
    const line = nth(files, UP, /: __set_phys_to_machine_ret: /, 700);
    expect(findings(await replay(altered(files, UP, line, 'ret=1', 'ret=0')))).toMatchObject({
      verdict: 'violated',
      found: [expect.stringContaining(`${line} __set_phys_to_machine 0x`)],
    });
  });
});

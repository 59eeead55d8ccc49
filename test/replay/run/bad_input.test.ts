import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { recordingFiles, replay, textOf, withFile, withLines, type FileSet } from './recordings.js';

const LOG = 'trace.txt.gz';
const shipped = recordingFiles('k61-512M-hold');
/** Without a checkpoint and without an end: what is wrong shows as fast as it can. */
const hold = withSteps([{ from: 'after', log: LOG, to: null }]);
const log = new TextEncoder().encode(textOf(hold, LOG));

function withSteps(steps: unknown, files = shipped): FileSet {
  return withFile(files, 'replay.json', JSON.stringify({ kernel: '6.1', steps }));
}

/** Bytes one after the other. */
function joined(...parts: (Uint8Array | string)[]): Buffer {
  return Buffer.concat(parts.map((part) => Buffer.from(part)));
}

const lineEnd = (line: number): number => {
  let at = -1;
  for (let i = 0; i < line; i++) at = log.indexOf(0x0a, at + 1);
  return at + 1;
};

/** A whole line of a probe, as the first of the log would be. */
const probe = (event: string, args: string): string =>
  `             gnt-379     [000] .....   131.291121: ${event}: (${event}+0x0/0x870) ${args}\n`;

describe('replayRecording of a damaged log', () => {
  it('reports what stood before a cut of the gzip', async () => {
    const zipped = gzipSync(log);
    const cut = zipped.subarray(0, zipped.length - 3000);
    const report = await replay(withFile(hold, LOG, cut));
    expect(report).toMatchObject({
      verdict: null,
      exitCode: 3,
      error: { file: LOG, byte: cut.length, got: 'the end of the file' },
      steps: [{ verdict: null }],
    });
    expect(report.events).toBeGreaterThan(100);
    expect(report.events).toBeLessThan(628);
    expect(report.checked.returns).toBeGreaterThan(50);
    expect(report.operations['xen_alloc_p2m_entry']).toBeGreaterThan(50);
    expect(report.tasks).toEqual({ gnt: report.events });
  });

  it('reports what stood before a flipped byte of the gzip', async () => {
    const zipped = new Uint8Array(gzipSync(log));
    zipped[zipped.length >> 1]! ^= 0x40;
    expect(await replay(withFile(hold, LOG, zipped))).toMatchObject({
      verdict: null,
      exitCode: 3,
      error: { file: LOG },
    });
  });

  it.each([
    ['in the last digits of its pfn', 100, 12, { line: 100 }],
    ['in the middle', 100, 70, { line: 100 }],
    ['before its newline', 100, 1, { line: 100 }],
  ])('complains of a last line that is cut %s, and does not replay it', async (_, line, bytes, where) => {
    const report = await replay(withFile(hold, LOG, log.subarray(0, lineEnd(line) - bytes)));
    expect(report).toMatchObject({
      verdict: null,
      exitCode: 3,
      events: 100 - 1 - 12,
      divergenceCount: 0,
      error: { file: LOG, ...where, message: expect.stringContaining('no newline') as string },
    });
  });

  it.each([
    ['binary garbage', Uint8Array.from({ length: 5000 }, (_, i) => (i * 197) & 0xff), { line: 101 }],
    ['NUL bytes', new Uint8Array(4096), { line: 101 }],
    ['a line of 10 MB', `${'x'.repeat(10 << 20)}\n`, { line: 101 }],
    [
      'a line of 10 MB that looks like an event',
      `${probe('set_phys_to_machine', `pfn=0x1 ${'x'.repeat(10 << 20)}`)}\n`,
      { line: 101 },
    ],
    ['a line that is none', 'Segmentation fault\n', { line: 101, got: '"Segmentation"' }],
    ['a pfn of 2^52', probe('get_phys_to_machine', 'pfn=0x10000000000000'), { line: 101, got: '0x10000000000000' }],
    [
      'a pfn of 2^64 - 1',
      probe('get_phys_to_machine', 'pfn=0xffffffffffffffff'),
      { line: 101, got: '0xffffffffffffffff' },
    ],
    ['a pfn of 2^64', probe('get_phys_to_machine', 'pfn=0x10000000000000000'), { line: 101 }],
    ['a pfn that is no number', probe('get_phys_to_machine', 'pfn=zz'), { line: 101, got: '"zz"' }],
    ['a call without its pfn', probe('get_phys_to_machine', ''), { line: 101, expected: 'pfn=...' }],
    ['a call without its mfn', probe('__set_phys_to_machine', 'pfn=0x1'), { line: 101, expected: 'mfn=...' }],
    [
      'a grant without its count',
      probe('set_foreign_p2m_mapping', 'map_ops=0x0'),
      { line: 101, expected: 'count=...' },
    ],
    ['CPU 256', probe('get_phys_to_machine', 'pfn=0x1').replace('[000]', '[256]'), { line: 101, got: 'CPU 256' }],
  ])('stops at %s, and reports what stood before it', async (_, what, where) => {
    const at = lineEnd(100);
    const report = await replay(withFile(hold, LOG, joined(log.subarray(0, at), what, log.subarray(at))));
    expect(report).toMatchObject({ verdict: null, exitCode: 3, divergenceCount: 0, error: { file: LOG, ...where } });
    expect(report.events).toBeGreaterThanOrEqual(88);
    expect(report.checked.returns).toBe(44);
    expect(report.operations['xen_alloc_p2m_entry']).toBe(44);
  });

  it('keeps a contradiction that stood before the damage', async () => {
    const files = withLines(hold, LOG, (lines) => {
      lines[13] = lines[13]!.replace('ret=0', 'ret=-12');
      return [...lines.slice(0, 100), 'garbage', ''];
    });
    expect(await replay(files)).toMatchObject({
      verdict: null,
      exitCode: 3,
      divergenceCount: 1,
      divergences: [{ line: 14 }],
    });
  });

  it.each([
    ['a pfn past the list', 'get_phys_to_machine', 'pfn=0xfffffffffffff', 'mfn=0x400fffffffffffff'],
    ['a pfn of 2^40', 'get_phys_to_machine', 'pfn=0x10000000000', 'mfn=0x4000010000000000'],
    ['a store past the list', '__set_phys_to_machine', 'pfn=0xfffffffffffff mfn=0x77', 'ret=0'],
    [
      'a store past the list of INVALID',
      '__set_phys_to_machine',
      'pfn=0xfffffffffffff mfn=0xffffffffffffffff',
      'ret=1',
    ],
  ])('takes %s as the kernel does', async (_, event, args, ret) => {
    const lines = probe(event, args) + probe(`${event}_ret`, ret);
    const files = withFile(hold, LOG, joined(log.subarray(0, lineEnd(12)), lines, log.subarray(lineEnd(12))));
    expect(await replay(files)).toMatchObject({ verdict: 'ok', divergenceCount: 0 });
  });

  it.each([
    ['', { got: 'no bytes' }],
    ['# tracer: nop\n#\n', { got: '16 bytes', expected: 'events in ftrace text' }],
  ])('complains of a log without events: %j', async (text, where) => {
    expect(await replay(withFile(hold, LOG, text))).toMatchObject({
      verdict: null,
      exitCode: 3,
      error: { file: LOG, ...where },
    });
  });

  it('takes a log in which nothing happened', async () => {
    const text = '# tracer: nop\n#\n# entries-in-buffer/entries-written: 0/0   #P:2\n#\n';
    expect(await replay(withFile(hold, LOG, text))).toMatchObject({ verdict: 'ok', events: 0 });
  });
});

describe('replayRecording of damaged files beside the log', () => {
  it.each([
    ['replay.json', 'replay.json'],
    ['p2m-after.bin.gz', 'p2m-after.bin'],
    ['p2m-after.pt.txt', 'p2m-after.pt.txt'],
    [LOG, LOG],
  ])('names %s where it is missing', async (file, told) => {
    const report = await replay(withFile(hold, file, undefined));
    expect(report).toMatchObject({ verdict: null, exitCode: 3, error: { file: told }, events: 0 });
    expect(report.error!.message).toMatch(/^\S+: missing file/);
  });

  it('does without .info', async () => {
    expect(await replay(withFile(hold, 'p2m-after.info', undefined))).toMatchObject({ verdict: 'ok' });
  });

  it.each([
    ['not JSON', '{"kernel": "6.1",\n "steps": [}', { expected: '{kernel, steps: [{from, log, to}]}' }],
    ['empty', '', {}],
    ['a list', '[]', { got: '[]' }],
    ['without steps', '{"kernel": "6.1", "steps": []}', { got: '[]' }],
    ['of a misspelt key', '{"kernel": "6.1", "steps": [{"from": "after", "log": "trace.txt.gz", "too": null}]}', {}],
    [
      'of an unknown kernel',
      '{"kernel": "2.6.39", "steps": [{"from": "after", "log": "trace.txt.gz", "to": null}]}',
      { got: '"2.6.39"' },
    ],
    ['of a kernel that is no version', '{"kernel": "mine", "steps": []}', { got: '"mine"' }],
    ['that is binary', '\0\x01\x02', { byte: 0 }],
  ])('complains of a replay.json %s', async (_, text, where) => {
    expect(await replay(withFile(hold, 'replay.json', text))).toMatchObject({
      verdict: null,
      exitCode: 3,
      steps: [],
      error: { file: 'replay.json', ...where },
    });
  });

  it.each(['../hold/trace.txt.gz', '/etc/passwd', '..', 'a\\b'])('opens no log elsewhere: %j', async (name) => {
    const asked: string[] = [];
    const files = withSteps([{ from: 'after', log: name, to: null }]);
    const report = await replay(
      Object.assign(new Map(files), {
        get: (file: string) => {
          asked.push(file);
          return files.get(file);
        },
      }),
    );
    expect(report).toMatchObject({ exitCode: 3, error: { file: 'replay.json', got: JSON.stringify(name) } });
    expect(asked).not.toContain(name);
  });

  it('says so where a log never reaches a checkpoint', async () => {
    const checkpoints = [{ dump: 'mapped', after: 'set_phys_to_machine_ret', before: 'clear_foreign_p2m_mapping' }];
    expect(await replay(withSteps([{ from: 'after', log: LOG, to: null, checkpoints }]))).toMatchObject({
      verdict: null,
      exitCode: 3,
      error: { file: 'replay.json', got: JSON.stringify(checkpoints[0]) },
    });
    const unknown = [{ dump: 'mapped', after: 'nothing_ret', before: 'clear_foreign_p2m_mapping' }];
    expect(await replay(withSteps([{ from: 'after', log: LOG, to: null, checkpoints: unknown }]))).toMatchObject({
      exitCode: 3,
      error: { got: '"nothing"' },
    });
  });

  const dump = shipped.get('p2m-after.bin.gz')!;

  it.each([
    ['of odd length', dump.subarray(0, dump.length - 3), { byte: dump.length - 8 }],
    [
      'that is shorter than its .info says',
      dump.subarray(0, dump.length - 8),
      { got: `${dump.length / 8 - 1} entries` },
    ],
    ['that is empty', new Uint8Array(0), { got: '0 bytes' }],
    ['that is a cut gzip', gzipSync(dump).subarray(0, 10_000), { byte: 10_000 }],
  ])('complains of a dump %s', async (_, bytes, where) => {
    expect(await replay(withFile(hold, 'p2m-after.bin.gz', bytes))).toMatchObject({
      verdict: null,
      exitCode: 3,
      error: { file: 'p2m-after.bin.gz', ...where },
    });
  });

  it.each([
    ['with a gap', '[0x40200,0x48000) identity', '[0x40400,0x48000) identity', { got: 'pfn 0x40400' }],
    ['that end too early', 'pfn [0x80000,0x8000000)', '# pfn [0x80000,0x8000000)', { got: 'pfn 0x80000' }],
    [
      'that cut a leaf',
      '[0x40000,0x40200) own',
      '[0x40000,0x40100) own',
      { got: expect.stringContaining('0x40100') as string },
    ],
    ['of an unknown kind', '[0x40000,0x40200) own', '[0x40000,0x40200) mine', { line: 3, got: 'mine' }],
    ['of a page that nobody knows', '[0x40000,0x40200) own', '[0x40000,0x40200) unmapped', {}],
    ['past 2^52', '[0x80000,0x8000000)', '[0x80000,0x80000000000000)', { line: 7 }],
    ['of a list of 2^50 pfns', '[0x80000,0x8000000)', '[0x80000,0x4000000000000)', {}],
  ])('complains of page kinds %s', async (_, from, to, where) => {
    const files = withLines(hold, 'p2m-after.pt.txt', (lines) => lines.map((line) => line.replace(from, to)));
    expect(await replay(files)).toMatchObject({
      verdict: null,
      exitCode: 3,
      error: { file: 'p2m-after.pt.txt', ...where },
    });
  });

  it('complains of a list that is larger than any', async () => {
    const huge = '0x4000000000000';
    let files = withLines(hold, 'p2m-after.pt.txt', (lines) =>
      lines.map((line) => line.replace('0x8000000)', `${huge})`)),
    );
    files = withLines(files, 'p2m-after.info', (lines) =>
      lines.map((line) => line.replace(/^(sym xen_(p2m_size|max_p2m_pfn) .*value=).*/, `$1${huge}`)),
    );
    expect(await replay(files)).toMatchObject({ verdict: null, exitCode: 3 });
  });
});

describe('replayRecording with options', () => {
  it('takes another kernel, and says which forms there are where it knows none', async () => {
    expect(await replay(hold, { memory: 'flat', kernel: '5.10' })).toMatchObject({ verdict: 'ok', kernel: '5.10' });
    expect(await replay(hold, { memory: 'flat', kernel: '2.6' })).toMatchObject({ verdict: null, exitCode: 2 });
  });

  it.each(['flat', 'paged'] as const)(
    'has no linear list in a kernel with the old tree, on the %s memory',
    async (memory) => {
      expect(await replay(hold, { memory, kernel: '3.18' })).toMatchObject({ verdict: null, exitCode: 2 });
      const files = withLines(hold, 'replay.json', (lines) => lines.map((line) => line.replace('6.1', '3.18')));
      expect(await replay(files, { memory })).toMatchObject({
        exitCode: 3,
        error: { file: 'replay.json', got: 'kernel 3.18' },
      });
    },
  );
});

describe('replayRecording of boot functions', () => {
  const boot = recordingFiles('k61-516M-earlyboot');
  const CALLS = 'earlyboot-calls.txt.gz';

  it('refuses a CPU that no event can name, in a boot function too', async () => {
    const files = withLines(boot, CALLS, (lines) => [lines[0]!.replace('cpu0', 'cpu300'), ...lines.slice(1)]);
    expect(await replay(files)).toMatchObject({ exitCode: 3, error: { file: CALLS, line: 1, got: 'CPU 300' } });
  });

  it.each(['xen_vmalloc_p2m_tree', 'xen_build_dynamic_phys_to_machine', 'set_phys_range_identity'])(
    'tells a %s where the list is built already, and leaves the list alone',
    async (event) => {
      const line = probe(event, event === 'set_phys_range_identity' ? 'pfn_s=0x0 pfn_e=0x500' : '');
      const files = withFile(shipped, LOG, joined(log, line).toString().replace('628/628', '629/629'));
      const report = await replay(files);
      expect(report).toMatchObject({ verdict: 'violated', divergenceCount: 1, final: { differences: 0 } });
      expect(report.divergences[0]).toMatchObject({ line: 641, operation: `${event} call` });
    },
  );
});

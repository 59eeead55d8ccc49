import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { P2mError } from '../../../events/index.js';
import { conform, readVector } from '../../../replay/index.js';
import { vectorFiles, vectorText } from '../../vectors.js';

const files = vectorFiles();
const profiles = [...new Set(files.map(({ profile }) => profile))];
const PROGRAM = fileURLToPath(new URL('../../../dist/cli/main.js', import.meta.url));
const VECTORS = fileURLToPath(new URL('../../vectors/sequential', import.meta.url));

describe('conform', () => {
  test('the project ships the vectors of all six profiles', () => {
    expect(profiles).toEqual(['v3.19', 'v3.19-pae', 'v3.19-rc-pae', 'v3.19.8', 'v3.19.8-pae', 'v7.0']);
    expect(files).toHaveLength(273);
  });

  // The built program, as a user runs it: the test runner's own module loader makes the model several times slower.
  test.each(['paged', 'flat'])(
    'the %s memory answers every shipped vector as the kernel code did',
    { timeout: 120_000 },
    (memory) => {
      const run = spawnSync(process.execPath, [PROGRAM, 'conform', '--memory', memory, VECTORS], { encoding: 'utf8' });
      expect(run.stdout.trimEnd().split('\n').slice(-3)).toEqual(['273 passed, 0 failed']);
      expect(run.status).toBe(0);
    },
  );

  const sample = { profile: 'v7.0', name: 'beyond.jsonl.gz' };

  test('each altered field of each out is a failure that names file, line, operation and field', () => {
    const lines = vectorText(sample).trimEnd().split('\n');
    const expected: object[] = [];
    const altered = lines.slice(1).map((text, i) => {
      const { op, out } = JSON.parse(text) as { op: { op: string }; out: Record<string, unknown> };
      for (const field of Object.keys(out)) expected.push({ line: i + 2, op: op.op, field, expected: '"altered"' });
      return JSON.stringify({ op, out: Object.fromEntries(Object.keys(out).map((field) => [field, 'altered'])) });
    });
    const failures = conform(readVector([lines[0], ...altered].join('\n'), 'beyond'), 'paged');
    expect(failures).toMatchObject(expected);
    expect(failures).toHaveLength(expected.length);
    expect(new Set(failures.map(({ file }) => file))).toEqual(new Set(['beyond']));
  });

  test('a field that the vector does not have is a failure too, and so is one that the model does not give', () => {
    const lines = vectorText(sample).trimEnd().split('\n');
    const first = JSON.parse(lines[1]!) as { op: unknown; out: Record<string, unknown> };
    const { size, ...less } = first.out;
    const text = (out: unknown): string =>
      [lines[0], JSON.stringify({ op: first.op, out }), ...lines.slice(2)].join('\n');
    expect(conform(readVector(text(less), 'v'), 'paged')).toMatchObject([
      { field: 'size', got: String(size), expected: 'nothing' },
    ]);
    const more = { ...first.out, more: 1 };
    expect(conform(readVector(text(more), 'v'), 'paged')).toMatchObject([
      { field: 'more', got: 'nothing', expected: '1' },
    ]);
  });
});

describe('readVector', () => {
  const header = (fields: object): string =>
    JSON.stringify({
      vector: 'x',
      category: 'c',
      profile: 'v7.0',
      kernel: '7.0',
      arch: 'x86_64',
      format: 1,
      ops: 1,
      ...fields,
    });
  const op = (fields: object): string => JSON.stringify({ op: fields, out: { ret: true } });
  const reading = (text: string) => (): unknown => readVector(text, 'bad.jsonl');

  test.each([
    ['an empty file', '', /bad\.jsonl: empty vector/],
    ['a header that is no JSON', 'hello', /bad\.jsonl:1: bad JSON/],
    [
      'an unknown profile',
      `${header({ profile: 'v2.6' })}\n${op({ op: 'slab' })}`,
      /bad\.jsonl:1: unknown profile: got "v2\.6"/,
    ],
    ['another format', `${header({ format: 2 })}\n${op({ op: 'slab' })}`, /bad\.jsonl:1: bad header: got format/],
    ['a cut vector', header({}), /cut vector: got 0 operations, want 1/],
    ['a cut line', `${header({})}\n${op({ op: 'slab' }).slice(0, 20)}`, /bad\.jsonl:2: bad JSON/],
    ['an unknown operation', `${header({})}\n${op({ op: 'explode' })}`, /bad\.jsonl:2: bad operation/],
    ['a field too many', `${header({})}\n${op({ op: 'slab', n: 1 })}`, /bad\.jsonl:2: bad operation/],
    ['a negative pfn', `${header({})}\n${op({ op: 'get', pfn: -1 })}`, /bad\.jsonl:2: bad operation/],
    ['a pfn of 2^60', `${header({})}\n${op({ op: 'get', pfn: 2 ** 60 })}`, /bad\.jsonl:2: bad operation/],
    [
      'a bad value',
      `${header({})}\n${op({ op: 'set', pfn: 1, val: 'x:1' })}`,
      /bad\.jsonl:2: bad value: got "x:1", want ~, m:N/,
    ],
    [
      'a value that does not fit',
      `${header({})}\n${op({ op: 'set', pfn: 1, val: 'm:99999999999999999999' })}`,
      /bad\.jsonl:2: bad value/,
    ],
  ])('refuses %s', (_, text, message) => {
    expect(reading(text)).toThrow(P2mError);
    expect(reading(text)).toThrow(message);
  });

  test('reads kernel and geometry off the profile', () => {
    const text = `${header({ profile: 'v3.19-rc-pae' })}\n${op({ op: 'slab' })}`;
    const { form, geometry } = readVector(text, 'v');
    expect([form.name, geometry.name]).toEqual(['3.19-rc1', 'x86_32']);
  });
});

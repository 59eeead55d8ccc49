import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import {
  documentsExports,
  hidesNothing,
  importsOneWay,
  knowsNoWorld,
  listFiles,
  namedInSnakeCase,
  parseSource,
  readSources,
  staysShallow,
  staysShort,
  type Rule,
} from './tidy.js';

const root = fileURLToPath(new URL('..', import.meta.url));
const paths = listFiles(root);
const sources = readSources(root, paths);

function check(rule: Rule, path: string, text: string): string[] {
  return rule(parseSource(path, text));
}

it('sees this very file, and no dependency', () => {
  expect(paths).toContain('test/tidy.test.ts');
  expect(sources.map((source) => source.path)).toContain('test/tidy.ts');
  expect(paths.filter((path) => path.includes('node_modules'))).toEqual([]);
});

describe('importsOneWay', () => {
  it('holds in this tree', () => {
    expect(sources.flatMap(importsOneWay)).toEqual([]);
  });

  it.each([
    ['events/log.ts', '../src/engine.js'],
    ['events/log.ts', '../replay/cursor.js'],
    ['src/p2m/alloc_p2m.ts', '../../replay/cursor.js'],
    ['src/engine.ts', '../cli/main.js'],
    ['src/engine.ts', '../package.json'],
    ['replay/cursor.ts', '../cli/main.js'],
    ['replay/cursor.ts', '../node/log_file.js'],
    ['node/log_file.ts', '../cli/main.js'],
    ['examples/a.ts', '../src/engine.js'],
    ['cli/main.ts', '../test/tidy.js'],
    ['bench/main.ts', '../cli/main.js'],
    ['node/log_file.ts', '../bench/race.js'],
    ['replay/cursor.ts', '../bench/race.js'],
    ['web/main.ts', '../cli/main.js'],
    ['cli/main.ts', 'xen-p2m/replay'],
  ])('catches %s importing %s', (path, specifier) => {
    expect(check(importsOneWay, path, `import { a } from '${specifier}';`)).toHaveLength(1);
  });

  it.each([
    ["import type { A } from '../replay/a.js';"],
    ["export * from '../replay/a.js';"],
    ["export { a } from '../replay/a.js';"],
    ["const a = await import('../replay/a.js');"],
    ["type A = import('../replay/a.js').A;"],
    ["import a = require('../replay/a.js');"],
  ])('catches it in the form %s', (text) => {
    expect(check(importsOneWay, 'src/a.ts', text)).toEqual([
      'src/a.ts:1: imports ../replay/a.js, of replay: may import from events, src',
    ]);
  });

  it('lets a room import itself, the rooms before it, and packages', () => {
    const text = "import { a } from '../events/a.js';\nimport { b } from './b.js';\nimport { c } from 'rxjs';";
    expect(check(importsOneWay, 'src/a.ts', text)).toEqual([]);
    expect(check(importsOneWay, 'cli/main.ts', "import json from '../package.json';")).toEqual([]);
    expect(check(importsOneWay, 'examples/a.ts', "import { a } from 'xen-p2m/replay';")).toEqual([]);
    expect(check(importsOneWay, 'examples/a.ts', "import { b } from './b.js';")).toEqual([]);
  });
});

describe('knowsNoWorld', () => {
  it('holds in this tree', () => {
    expect(sources.flatMap(knowsNoWorld)).toEqual([]);
  });

  it.each([
    ['Date.now();'],
    ['new Date();'],
    ['Math.random();'],
    ['performance.now();'],
    ['setTimeout(f, 1);'],
    ['const { env } = process;'],
    ['const home = process.env.HOME;'],
    ['console.log(1);'],
    ['globalThis.Date.now();'],
    ["import { readFileSync } from 'node:fs';"],
    ["import { readFile } from 'fs/promises';"],
    ["import { spawn } from 'node:child_process';"],
    ["const os = await import('node:os');"],
    ["import { randomBytes } from 'node:crypto';"],
    ["import { createHash, randomUUID as id } from 'node:crypto';"],
  ])('catches %s', (text) => {
    expect(check(knowsNoWorld, 'src/engine.ts', text)).toHaveLength(1);
  });

  it('takes a word in a comment, a string or a member name for what it is', () => {
    const text =
      "// Date.now()\nconst a = 'Math.random()';\nconst b = { process: 1 };\nb.process;\nclass C { console() {} }";
    expect(check(knowsNoWorld, 'src/engine.ts', text)).toEqual([]);
  });

  it('lets pure built-ins in, and leaves the edges alone', () => {
    expect(check(knowsNoWorld, 'replay/read.ts', "import { gunzipSync } from 'node:zlib';")).toEqual([]);
    expect(check(knowsNoWorld, 'replay/read.ts', "import { createHash } from 'node:crypto';")).toEqual([]);
    expect(check(knowsNoWorld, 'cli/main.ts', "import { readFileSync } from 'node:fs'; Date.now();")).toEqual([]);
  });
});

describe('documentsExports', () => {
  it('holds in this tree', () => {
    expect(sources.flatMap(documentsExports)).toEqual([]);
  });

  it.each([
    ['export function f(): void {}'],
    ['export async function f(): Promise<void> {}'],
    ['export class C {}'],
    ['export interface I {}'],
    ['export enum E {}'],
    ['export const a = 1;'],
    ['const a = 1;\nexport { a };'],
    ['// not a doc comment\nexport const a = 1;'],
    ['/* not a doc comment */\nexport const a = 1;'],
    ['/** About the file. */\n\nexport const a = 1;'],
    ['/** Of a. */\nexport const a = 1;\nexport const b = 2;'],
  ])('catches %j', (text) => {
    expect(check(documentsExports, 'src/a.ts', text)).toHaveLength(1);
  });

  it('says which symbol, and where', () => {
    const text = '/** Of a. */\nexport const a = 1;\n\nexport function f(): void {}\n';
    expect(check(documentsExports, 'src/a.ts', text)).toEqual(['src/a.ts:4: exports f without a doc comment']);
  });

  it('asks it of neither re-exports, nor inner symbols, nor the second overload', () => {
    const overloads = '/** Of f. */\nexport function f(a: string): void;\nexport function f(a: number): void;';
    expect(check(documentsExports, 'src/a.ts', overloads)).toEqual([]);
    expect(check(documentsExports, 'src/index.ts', "export * from './a.js';\nexport { b } from './b.js';")).toEqual([]);
    expect(check(documentsExports, 'src/a.ts', 'const a = 1;\nfunction f(): void {}')).toEqual([]);
  });
});

describe('staysShort', () => {
  it('holds in this tree', () => {
    expect(sources.flatMap(staysShort)).toEqual([]);
  });

  it('lets 400 lines pass, and catches 401', () => {
    expect(check(staysShort, 'src/a.ts', 'a;\n'.repeat(400))).toEqual([]);
    expect(check(staysShort, 'src/a.ts', 'a;\n'.repeat(401))).toEqual(['src/a.ts: 401 lines, want at most 400']);
  });
});

describe('hidesNothing', () => {
  it('holds in this tree', () => {
    expect(sources.flatMap(hidesNothing)).toEqual([]);
  });

  it.each([
    ['let a: any;'],
    ['const a = b as any;'],
    ['function f(a: Map<string, any[]>) {}'],
    ['// @ts-ignore\na();'],
    ['// @ts-nocheck'],
    ['/* eslint-disable */'],
    ['function f() {\n  // eslint-disable-next-line no-empty\n}'],
    ["it.only('a', f);"],
    ["it.skip('a', f);"],
    ["test.todo('a');"],
    ["describe.concurrent.only('a', f);"],
    ["describe.skip.each([1])('a', f);"],
  ])('catches %j', (text) => {
    expect(check(hidesNothing, 'test/a.test.ts', text)).toHaveLength(1);
  });

  it('takes the same words in a string or a name for what they are, and lets a test say when it cannot run', () => {
    const text = "const a = '// @ts-ignore'; const any = cursor.skip(1); it.skipIf(missing)('a', f);";
    expect(check(hidesNothing, 'test/a.test.ts', text)).toEqual([]);
  });
});

describe('staysShallow', () => {
  it('holds in this tree', () => {
    expect(paths.flatMap(staysShallow)).toEqual([]);
  });

  it('lets three folders pass, and catches four', () => {
    expect(staysShallow('test/a/b/c.ts')).toEqual([]);
    expect(staysShallow('test/a/b/c/d.ts')).toEqual(['test/a/b/c/d.ts: 4 folders deep, want at most 3']);
  });
});

describe('namedInSnakeCase', () => {
  it('holds in this tree', () => {
    expect(paths.flatMap(namedInSnakeCase)).toEqual([]);
  });

  it.each([
    ['src/p2m/allocP2m.ts'],
    ['events/event-log.ts'],
    ['cli/Main.ts'],
    ['test/Tidy.test.ts'],
    ['bench/look up.c'],
  ])('catches %s', (path) => {
    expect(namedInSnakeCase(path)).toHaveLength(1);
  });

  it('lets kernel names and test kinds pass, and data keep their names', () => {
    const fine = [
      'src/p2m/__pfn_to_mfn.ts',
      'test/word.prop.test.ts',
      'test/recordings/k61-512M-hold/LOG.gz',
      'README.md',
    ];
    expect(fine.flatMap(namedInSnakeCase)).toEqual([]);
  });
});

import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import packageJson from '../package.json' with { type: 'json' };
import { codeBlocks, findCommands, matches } from './docs.js';

/**
 * The package as a user gets it: packed, unpacked beside its dependencies in a folder of its own, imported by its name.
 * npm test builds it first.
 */
const root = fileURLToPath(new URL('..', import.meta.url));
let folder = '';

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'p2m-consumer-'));
  const modules = join(folder, 'node_modules');
  mkdirSync(modules);
  const packed = run('npm', ['pack', '--ignore-scripts', '--silent', '--pack-destination', folder], root).trim();
  run('tar', ['-xzf', join(folder, packed.split('\n').at(-1)!), '-C', modules], folder);
  run('mv', [join(modules, 'package'), join(modules, 'xen-p2m')], folder);
  for (const name of readdirSync(join(root, 'node_modules'))) {
    if (!name.startsWith('.') && name !== 'xen-p2m') symlinkSync(join(root, 'node_modules', name), join(modules, name));
  }
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
}, 60_000);

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

function run(program: string, args: readonly string[], cwd: string): string {
  const { stdout, stderr, status } = spawnSync(program, args, { cwd, encoding: 'utf8', timeout: 60_000 });
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}: exit ${status}\n${stdout}${stderr}`);
  return stdout;
}

/**
 * Compiles the files of the consumer's folder, strictly. What the compiler says of each of them, and of the package's own
 * declarations.
 */
function compile(texts: Readonly<Record<string, string>>): (name: string) => string[] {
  for (const [name, text] of Object.entries(texts)) writeFileSync(join(folder, name), text);
  const program = ts.createProgram(
    Object.keys(texts).map((name) => join(folder, name)),
    {
      target: ts.ScriptTarget.ES2023,
      lib: ['lib.es2023.d.ts'],
      module: ts.ModuleKind.NodeNext,
      moduleResolution: ts.ModuleResolutionKind.NodeNext,
      strict: true,
      exactOptionalPropertyTypes: true,
      noUncheckedIndexedAccess: true,
      verbatimModuleSyntax: true,
      types: ['node'],
      typeRoots: [join(root, 'node_modules', '@types')],
    },
  );
  program.emit();
  return (name) =>
    program
      .getSourceFiles()
      .filter(({ fileName }) => fileName.includes(name))
      .flatMap((file) => [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)])
      .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'));
}

/** The code of a document as one program. */
function codeOf(path: string): string {
  return codeBlocks(readFileSync(join(root, path), 'utf8'), 'ts').join('\n');
}

/** What `console.log(...); // this` says will be printed. */
function printed(code: string): string[] {
  return [...code.matchAll(/^ *.*\bconsole\.log\(.*\/\/ (.*)$/gm)].map(([, text]) => text!);
}

describe('the package', () => {
  it('has what its exports map names, and neither benchmarks nor examples nor tests', () => {
    const unpacked = join(folder, 'node_modules', 'xen-p2m');
    const targets = Object.values(packageJson.exports).flatMap((entry) =>
      typeof entry === 'string' ? [entry] : Object.values(entry),
    );
    for (const target of [...targets, packageJson.bin.p2m])
      expect(existsSync(join(unpacked, target)), target).toBe(true);
    expect(readdirSync(join(unpacked, 'dist')).sort()).toEqual(['cli', 'events', 'node', 'replay', 'src']);
    expect(existsSync(join(unpacked, 'test'))).toBe(false);
  });

  it('is imported by the paths of its exports map, and by no other', () => {
    const paths = Object.keys(packageJson.exports).filter((path) => path !== './package.json');
    const names = paths.map((path) => `xen-p2m${path.slice(1)}`);
    const code = `for (const name of ${JSON.stringify(names)}) console.log(name, Object.keys(await import(name)).length > 2);
      await import('xen-p2m/dist/src/index.js').catch((error) => console.log(error.code));`;
    writeFileSync(join(folder, 'paths.js'), code);
    expect(run(process.execPath, ['paths.js'], folder).trim().split('\n')).toEqual([
      ...names.map((name) => `${name} true`),
      'ERR_PACKAGE_PATH_NOT_EXPORTED',
    ]);
  });

  it('leaves rxjs to who takes the engine, and pino to who logs', () => {
    const loaded = (name: string): string[] => {
      const code = `import 'xen-p2m${name}';
        import { createRequire } from 'node:module';
        console.log(Object.keys(createRequire(import.meta.url).cache).join('\\n'));`;
      writeFileSync(join(folder, 'loaded.js'), code);
      const paths = run(process.execPath, ['loaded.js'], folder);
      return ['rxjs', 'pino'].filter((dependency) => paths.includes(`/node_modules/${dependency}/`));
    };
    expect([loaded(''), loaded('/model'), loaded('/replay'), loaded('/node')]).toEqual([['rxjs'], [], [], []]);
  });
});

describe('code that imports the package', () => {
  const documents = {
    'readme.ts': codeOf('README.md'),
    'library.ts': codeOf('docs/library.md'),
    'own_algorithms.ts': codeOf('docs/own-algorithms.md'),
  };
  let complaints: (name: string) => string[];

  beforeAll(() => {
    const wrong = `import { bootEngine } from 'xen-p2m';
      void bootEngine({ nrPages: 1 }).execute({ operation: 'set_phys_to_machine', pfn: 1 });`;
    complaints = compile({ ...documents, 'wrong.ts': wrong });
  }, 120_000);

  it.each(Object.entries(documents))('%s compiles, strictly, and prints what it says', (name, code) => {
    expect(complaints(name)).toEqual([]);
    expect(printed(code).length).toBeGreaterThan(1);
    const stdout = run(process.execPath, [name.replace('.ts', '.js')], folder);
    expect(stdout.trim().split('\n')).toEqual(printed(code));
  });

  it('is told what a command takes', () => {
    expect(complaints('wrong.ts').join()).toMatch(/Property 'value' is missing/);
  });

  it('reads declarations that stand by themselves', () => {
    expect(complaints('/node_modules/xen-p2m/')).toEqual([]);
  });
});

describe('examples', () => {
  const texts = ['docs/library.md', 'docs/own-algorithms.md', 'docs/mutants.md'].map((path) =>
    readFileSync(join(root, path), 'utf8'),
  );
  const commands = texts.flatMap((text) => findCommands(text, /^node dist\/examples\//));

  it('are all shown', () => {
    const shown = commands.map(({ command }) => /examples\/(\w+)\.js/.exec(command)?.[1]);
    expect(shown).toEqual(
      ['record_and_replay', 'explain_divergence', 'double_checked', 'broken_fix'].filter((name) =>
        existsSync(join(root, 'examples', `${name}.ts`)),
      ),
    );
    const programs = readdirSync(join(root, 'examples')).filter((name) => !name.endsWith('_machine.ts'));
    expect(programs).toHaveLength(commands.length);
  });

  it.each(commands)('$command', ({ command, expected }) => {
    const stdout = run('sh', ['-c', command.replace('node', process.execPath)], root);
    if (!matches(stdout, expected)) expect(stdout).toBe(expected);
  });
});

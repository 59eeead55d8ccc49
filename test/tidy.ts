/**
 * The rules of the house that a machine can keep (tidy.test.ts holds this tree to them).
 *
 * A rule takes one source file and returns what is wrong with it, one line a finding, so that it can be shown a bad
 * sample as easily as the real tree. Paths are relative to the root, with `/`.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { posix } from 'node:path';
import ts from 'typescript';

/** One file, parsed once for all rules. */
export interface Source {
  readonly path: string;
  readonly text: string;
  readonly tree: ts.SourceFile;
}

export type Rule = (source: Source) => string[];

/** Who may import from whom: a room knows the rooms before it. `.` is the root (package.json, configuration). */
const IMPORTS_FROM: Readonly<Record<string, readonly string[]>> = {
  events: ['events'],
  src: ['events', 'src'],
  replay: ['events', 'src', 'replay'],
  node: ['events', 'src', 'replay', 'node'],
  cli: ['events', 'src', 'replay', 'node', 'bench', 'cli', '.'],
  web: ['events', 'src', 'replay', 'web', '.'],
  // A part of the program: `p2m bench` runs it on a user's machine.
  bench: ['events', 'src', 'replay', 'node', 'bench'],
  test: ['events', 'src', 'replay', 'node', 'bench', 'cli', 'test', '.'],
  // As a user would: by the name of the package.
  examples: ['examples'],
  campaigns: ['events', 'src', 'replay', 'node', 'test', 'campaigns', '.'],
};

/** The rooms where the same input gives the same result: no clock, no chance, no world outside. */
const PURE_ROOMS = ['events', 'src', 'replay'];
/** Whose exports are a user's to read about. */
const DOCUMENTED_ROOMS = [...PURE_ROOMS, 'node'];
const PURE_BUILTINS = ['assert', 'buffer', 'crypto', 'events', 'path', 'stream', 'string_decoder', 'util', 'zlib'];
const WORLD = new Set([
  'Date',
  'performance',
  'process',
  'crypto',
  'console',
  'fetch',
  'globalThis',
  'require',
  'setTimeout',
  'setInterval',
  'setImmediate',
]);

const ROOMS = Object.keys(IMPORTS_FROM);
const LINES_MAX = 400;
const DEPTH_MAX = 3;
const NOT_OURS = new Set(['node_modules', 'dist', 'coverage']);
const TEST_ROOTS = new Set(['it', 'test', 'describe', 'suite']);
const TEST_HIDERS = new Set(['only', 'skip', 'todo', 'fails']);

/** Files that are ours, below `root`: no dependencies, no build results, nothing in a hidden folder. */
export function listFiles(root: string, folder = ''): string[] {
  return readdirSync(posix.join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    if (entry.name.startsWith('.') || NOT_OURS.has(entry.name)) return [];
    const path = posix.join(folder, entry.name);
    return entry.isDirectory() ? listFiles(root, path) : [path];
  });
}

/** Reads and parses every TypeScript file of a room. */
export function readSources(root: string, paths: readonly string[]): Source[] {
  return paths
    .filter((path) => path.endsWith('.ts') && ROOMS.includes(roomOf(path)))
    .map((path) => parseSource(path, readFileSync(posix.join(root, path), 'utf8')));
}

/** A source file from its text. */
export function parseSource(path: string, text: string): Source {
  return { path, text, tree: ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true) };
}

/** Imports run one way: `events <- src <- replay <- node <- bench <- cli`, `replay <- web`; nobody imports test. */
export const importsOneWay: Rule = (source) => {
  const allowed = IMPORTS_FROM[roomOf(source.path)] ?? [];
  return importsOf(source).flatMap(({ node, specifier }) => {
    if (/^xen-p2m(\/|$)/.test(specifier) && roomOf(source.path) !== 'examples')
      return [at(source, node, `imports ${specifier}: use the relative path`)];
    if (!specifier.startsWith('.')) return [];
    const room = roomOf(posix.join(posix.dirname(source.path), specifier));
    if (allowed.includes(room)) return [];
    return [at(source, node, `imports ${specifier}, of ${room}: may import from ${allowed.join(', ')}`)];
  });
};

/** Below the edges there is no clock, no randomness, no environment, no file and no process. */
export const knowsNoWorld: Rule = (source) => {
  if (!PURE_ROOMS.includes(roomOf(source.path))) return [];
  const found = importsOf(source)
    .filter(({ specifier }) => isBuiltin(specifier) && !PURE_BUILTINS.includes(specifier.replace(/^node:/, '')))
    .map(({ node, specifier }) => at(source, node, `imports ${specifier}`));
  visit(source.tree, (node) => {
    if (!ts.isIdentifier(node)) return;
    if (WORLD.has(node.text) && !isOnlyAName(node)) found.push(at(source, node, `uses ${node.text}`));
    if (isRandom(node)) found.push(at(source, node, `uses ${node.text}: take a seeded generator as an argument`));
  });
  return found;
};

/** An exported function, class, interface, enum or const has its doc comment directly above. */
export const documentsExports: Rule = (source) => {
  if (!DOCUMENTED_ROOMS.includes(roomOf(source.path))) return [];
  const listed = localExportNames(source.tree);
  const seen = new Set<string>();
  return source.tree.statements.flatMap((statement) => {
    const names = declaredNames(statement).filter((name) => isExported(statement) || listed.has(name));
    const fresh = names.filter((name) => !seen.has(name));
    names.forEach((name) => seen.add(name));
    return fresh.length === 0 || hasDocAbove(source, statement)
      ? []
      : [at(source, statement, `exports ${fresh.join(', ')} without a doc comment`)];
  });
};

/** A file that somebody reads can be read in one go. */
export const staysShort: Rule = (source) => {
  if (!['events', 'src', 'replay', 'node', 'cli', 'examples'].includes(roomOf(source.path))) return [];
  const lineCount = source.text.replace(/\n$/, '').split('\n').length;
  return lineCount <= LINES_MAX ? [] : [`${source.path}: ${lineCount} lines, want at most ${LINES_MAX}`];
};

/** Nothing switches the compiler or the linter off, and no test is hidden; `skipIf` says its reason and may stay. */
export const hidesNothing: Rule = (source) => {
  const found: string[] = [];
  visit(source.tree, (node) => {
    if (node.kind === ts.SyntaxKind.AnyKeyword) found.push(at(source, node, 'uses any'));
    if (ts.isPropertyAccessExpression(node) && TEST_HIDERS.has(node.name.text) && TEST_ROOTS.has(rootName(node))) {
      found.push(at(source, node, `uses ${rootName(node)}.${node.name.text}`));
    }
  });
  for (const comment of commentsOf(source)) {
    const match = /@ts-ignore|@ts-nocheck|eslint-disable/.exec(comment);
    if (match !== null) found.push(`${source.path}: a comment says ${match[0]}`);
  }
  return found;
};

const SOURCE = /\.(ts|js|mjs|c|h|sh)$/;

/** Source files are at most three folders below the root; data keep the folders they came with. */
export function staysShallow(path: string): string[] {
  if (!SOURCE.test(path)) return [];
  const depth = path.split('/').length - 1;
  return depth <= DEPTH_MAX ? [] : [`${path}: ${depth} folders deep, want at most ${DEPTH_MAX}`];
}

/** Source files have snake_case names, so that a kernel engineer finds `alloc_p2m_pmd.ts`; data keep the names they came with. */
export function namedInSnakeCase(path: string): string[] {
  if (!ROOMS.includes(roomOf(path)) || !SOURCE.test(path)) return [];
  const name = posix.basename(path);
  return /^[a-z0-9_]+(\.[a-z0-9_]+)+$/.test(name)
    ? []
    : [`${path}: want lower case letters, digits, _ and . in a name`];
}

function roomOf(path: string): string {
  return path.includes('/') ? path.slice(0, path.indexOf('/')) : '.';
}

function at(source: Source, node: ts.Node, message: string): string {
  return `${source.path}:${source.tree.getLineAndCharacterOfPosition(node.getStart()).line + 1}: ${message}`;
}

function visit(node: ts.Node, see: (node: ts.Node) => void): void {
  see(node);
  ts.forEachChild(node, (child) => {
    visit(child, see);
  });
}

/** Every module named by an import, a re-export, an `import()` expression or an import type. */
function importsOf(source: Source): { node: ts.Node; specifier: string }[] {
  const found: { node: ts.Node; specifier: string }[] = [];
  visit(source.tree, (node) => {
    let named: ts.Node | undefined;
    if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) named = node.moduleSpecifier;
    else if (ts.isExternalModuleReference(node)) named = node.expression;
    else if (ts.isImportTypeNode(node)) named = ts.isLiteralTypeNode(node.argument) ? node.argument.literal : undefined;
    else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword)
      named = node.arguments[0];
    if (named !== undefined && ts.isStringLiteralLike(named)) found.push({ node, specifier: named.text });
  });
  return found;
}

/** Whether the identifier names a member or a declaration: `a.process`, `{ process: 1 }`. */
function isOnlyAName(node: ts.Identifier): boolean {
  const parent = node.parent as { name?: ts.Node; propertyName?: ts.Node; right?: ts.Node };
  return (
    parent.name === node || parent.propertyName === node || (ts.isQualifiedName(node.parent) && parent.right === node)
  );
}

/** `Math.random`, or one of the random functions of node:crypto. */
function isRandom(node: ts.Identifier): boolean {
  const { parent } = node;
  if (ts.isPropertyAccessExpression(parent) && parent.name === node) {
    return node.text === 'random' && parent.expression.getText() === 'Math';
  }
  return ts.isImportSpecifier(parent) && /^(random[A-Z]|getRandomValues|webcrypto)/.test(node.text);
}

function localExportNames(tree: ts.SourceFile): Set<string> {
  const names = new Set<string>();
  for (const statement of tree.statements) {
    if (!ts.isExportDeclaration(statement) || statement.moduleSpecifier !== undefined) continue;
    if (statement.exportClause === undefined || !ts.isNamedExports(statement.exportClause)) continue;
    for (const element of statement.exportClause.elements) names.add((element.propertyName ?? element.name).text);
  }
  return names;
}

function isExported(statement: ts.Statement): boolean {
  return (
    ts.canHaveModifiers(statement) &&
    (ts.getModifiers(statement) ?? []).some((modifier) => modifier.kind === ts.SyntaxKind.ExportKeyword)
  );
}

function declaredNames(statement: ts.Statement): string[] {
  if (ts.isVariableStatement(statement)) {
    return statement.declarationList.declarations.map((declaration) => declaration.name.getText());
  }
  const declares =
    ts.isFunctionDeclaration(statement) ||
    ts.isClassDeclaration(statement) ||
    ts.isInterfaceDeclaration(statement) ||
    ts.isEnumDeclaration(statement);
  return declares ? [statement.name?.text ?? 'default'] : [];
}

function hasDocAbove(source: Source, statement: ts.Statement): boolean {
  const above = ts.getLeadingCommentRanges(source.text, statement.getFullStart())?.at(-1);
  if (above === undefined || !source.text.startsWith('/**', above.pos)) return false;
  return source.text.slice(above.end, statement.getStart()).split('\n').length === 2;
}

/** What stands between the tokens: comments and white space, never the inside of a string. */
function commentsOf(source: Source): string[] {
  const found: string[] = [];
  const walk = (node: ts.Node): void => {
    if (ts.isJSDoc(node)) return;
    const children = node.getChildren(source.tree);
    if (children.length === 0) found.push(source.text.slice(node.getFullStart(), node.getStart()));
    else children.forEach(walk);
  };
  walk(source.tree);
  return found;
}

function rootName(node: ts.Expression): string {
  if (ts.isPropertyAccessExpression(node) || ts.isCallExpression(node)) return rootName(node.expression);
  return node.getText();
}

import { isTree, structure, type Memory, type NameRun } from '../src/index.js';

/** Page tables and leaves of a list that stands, by name. */
export function tableLines(memory: Memory): string[] {
  const { ptePages, leaves } = structure(memory);
  return [...nameLines(isTree(memory) ? 'mid page' : 'PT page', ptePages), ...nameLines('leaf', leaves)];
}

/** The tools' tree by name; none where there is no tree. */
export function treeLines(memory: Memory): string[] {
  const { top, mids, topP } = structure(memory);
  if (top === undefined) return [];
  return [
    ...nameLines('top', top),
    ...Object.entries(mids ?? {}).flatMap(([name, runs]) => nameLines(name, runs)),
    ...(topP === undefined ? [] : nameLines('top_p', topP)),
  ];
}

function nameLines(what: string, runs: readonly NameRun[]): string[] {
  return runs.map(([index, count, name]) => `  ${what} [${index}, ${index + count}) ${name}`);
}

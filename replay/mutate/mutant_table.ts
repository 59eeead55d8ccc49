import { isExplained, type MutantResult } from './mutation_campaign.js';

/** What came of a campaign as Markdown: a table of those that were found, one of the survivors, and what does not add up. */
export function mutantTable(results: readonly MutantResult[]): string {
  const odd = results.filter((result) => !isExplained(result));
  const explained = results.filter(isExplained);
  return [
    summary(results, odd.length),
    ...section(
      'Found',
      ['mutant', 'where', 'the mistake', 'found by', 'in the scenario'],
      explained.flatMap(({ mutant: { name, where, what }, killed }) =>
        killed === undefined ? [] : [[`\`${name}\``, where, what, killed.check, killed.scenario]],
      ),
    ),
    ...section(
      'Survive, and should',
      ['mutant', 'where', 'the mistake', 'why nothing finds it'],
      explained.flatMap(({ mutant: { name, where, what, survives }, killed, mended }) =>
        killed === undefined ? [[`\`${name}\``, where, what, `${survives!}${mendedText(mended)}`]] : [],
      ),
    ),
    ...section(
      'Do not add up',
      ['mutant', 'where', 'the mistake', 'what is wrong'],
      odd.map(({ mutant: { name, where, what }, killed, unknown }) => [
        `\`${name}\``,
        where,
        what,
        killed === undefined
          ? `nothing finds it, and nobody has said why${unknown.length > 0 ? ` (${unknown.length} scenarios hit a bound)` : ''}`
          : `${killed.check} finds it in ${killed.scenario}, and it says that nothing should`,
      ]),
    ),
  ].join('\n');
}

function summary(results: readonly MutantResult[], odd: number): string {
  const killed = results.filter((result) => result.killed !== undefined).length;
  const rest = odd === 0 ? 'each for the reason given' : `${odd} of all do not add up`;
  return `${results.length} mutants: ${killed} found, ${results.length - killed} survive, ${rest}.`;
}

function mendedText(mended: readonly string[]): string {
  return mended.length === 0 ? '' : `; the kernel breaks ${mended.join(', ')}, the mutant does not`;
}

/** A heading and a table whose columns line up; nothing where there is no line. */
function section(title: string, head: readonly string[], lines: readonly (readonly string[])[]): string[] {
  if (lines.length === 0) return [];
  const widths = head.map((_, column) => Math.max(...[head, ...lines].map((cells) => cells[column]!.length)));
  const row = (cells: readonly string[]): string =>
    `| ${cells.map((text, column) => text.padEnd(widths[column]!)).join(' | ')} |`;
  return ['', `## ${title}`, '', row(head), row(widths.map((width) => '-'.repeat(width))), ...lines.map(row)];
}

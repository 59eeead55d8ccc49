import type { Divergence, ReplayReport } from '../replay/index.js';
import { colors } from './colors.js';

/** Divergences that people are shown; --json has more. */
const SHOWN_MAX = 10;

/** The report of a replay as people read it; the same input gives the same lines. */
export function reportText(path: string, r: ReplayReport): string[] {
  const assumed = r.kernelAssumed === true ? ' assumed, for want of --kernel' : '';
  const kernel = r.form === '' ? '' : `Linux ${r.kernel} (form ${r.form})${assumed}, `;
  const lines = [`${path}: ${kernel}${r.geometry}, ${r.memory} memory`];
  for (const step of r.steps) {
    const names = [step.from, step.log, step.to].filter((name) => name !== null);
    const open = step.open === true ? ', for its writer has not closed it' : '';
    lines.push(`  ${names.join(' -> ')}: ${step.verdict ?? 'not read to its end'}${open}`);
    for (const compared of [...step.checkpoints, ...(step.final === null ? [] : [step.final])]) {
      const beyond = compared.beyond === 0 ? '' : `, ${compared.beyond} stores beyond it`;
      lines.push(`    dump ${compared.dump}: ${compared.compared} words, ${compared.differences} differences${beyond}`);
    }
  }
  const { checked, unchecked, lost } = r;
  const isEventLog = r.state !== undefined && Object.keys(r.tasks).length === 0;
  const tasks = Object.keys(r.tasks).some((name) => name !== '') ? ` by ${list(r.tasks)}` : '';
  lines.push(
    `events: ${r.events}${tasks}`,
    `calls: ${list(r.operations)}`,
    `checked: ${list({
      // An event says what it overwrites: each of a log of ours is held against the list that it finds.
      events: isEventLog ? r.events : 0,
      returns: checked.returns,
      'look-ups': checked.lookups,
      words: checked.entries,
      'pages of the list': checked.ptes,
      'frames in page tables': checked.frames,
    })}`,
  );
  const unknown = list({ returns: unchecked.returns, 'look-ups': unchecked.lookups, words: unchecked.entries });
  if (unknown !== 'none') lines.push(`unchecked (no return probe, or not known before): ${unknown}`);
  if (Object.keys(r.unused).length > 0) lines.push(`not used: ${list(r.unused)}`);
  if (r.overlaps > 0) {
    lines.push(
      `overlapping calls: ${r.overlaps}, explained by another order than that of their entries: ${r.reordered}`,
    );
  }
  if (r.ties > 0) lines.push(`lines at the time of the line before, on another CPU: ${r.ties}`);
  const missing = list({ events: lost.events, lines: lost.lines, 'returns or entries': lost.returns });
  if (missing !== 'none') lines.push(`lost: ${missing}`);
  if (r.undecided > 0) lines.push(`undecided (too many orders to try): ${r.undecided}`);
  if (r.state !== undefined) lines.push(`state: ${r.state.list} ${r.state.rest}`);
  for (const divergence of r.divergences.slice(0, SHOWN_MAX)) lines.push(...describeDivergence(divergence));
  if (r.divergenceCount > SHOWN_MAX) lines.push(`... and ${r.divergenceCount - SHOWN_MAX} more divergences`);
  lines.push(`verdict: ${r.verdict ?? 'none: the input could not be read to its end'}`);
  return lines;
}

function describeDivergence(d: Divergence): string[] {
  const where = d.line > 0 ? `${d.file}:${d.line}` : d.file;
  const lines = [
    `${where}: ${colors.red('error')}: ${d.operation}, pfn ${d.pfn}: recorded ${d.actual}, the model says ${d.expected}`,
  ];
  if (d.text !== '') lines.push(`  ${d.text}`);
  if (d.writtenAt !== undefined) lines.push(`  last written at ${d.file}:${d.writtenAt}`);
  return lines;
}

/** What was counted, without what is zero. */
function list(counts: Readonly<Record<string, number>>): string {
  const names = Object.entries(counts).filter(([, n]) => n > 0);
  return names.length > 0 ? names.map(([name, n]) => `${name} ${n}`).join(', ') : 'none';
}

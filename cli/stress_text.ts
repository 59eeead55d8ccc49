import { explanationJson, explanationLines, workloadText } from '../replay/index.js';
import { counted } from './counted.js';
import type { RoundPlan } from './stress_round.js';
import type { StressTally, TalliedFinding, TalliedOutcome } from './stress_tally.js';

/** What is run, in a line. */
export function planLine({ layout, workload, threads, memory, mutant, chaos }: RoundPlan, seed: number): string {
  const { mix, skew, share } = workloadText(workload);
  return [
    `kernel ${layout.form.name}${mutant === undefined ? '' : ` with ${mutant}`}`,
    `${layout.geometry.name}, ${memory} memory`,
    counted(threads, 'thread'),
    `mix ${mix}, ${skew}${share ? ', shared' : ''}`,
    ...(chaos > 0 ? [`chaos ${chaos} %`] : []),
    `seed ${seed}`,
  ].join('; ');
}

/** The run as text; its last line is the command that repeats it. */
export function tallyText(tally: StressTally, again: string): string[] {
  return [
    ...outcomeTable(tally.outcomes),
    '',
    ...accountLines(tally),
    ...tally.notes.map((text) => `note: ${text}`),
    ...tally.findings.flatMap(findingLines),
    ...brokenLines(tally),
    `verdict: ${tally.verdict}`,
    again,
  ];
}

function outcomeTable(outcomes: readonly TalliedOutcome[]): string[] {
  const head = ['operation', 'result', 'samples', 'share', 'expect', 'description'];
  const rows = outcomes.map(({ operation, result, samples, share, expect, description }) => [
    operation,
    result,
    String(samples),
    `${(share * 100).toFixed(share < 0.01 ? 3 : 1)} %`,
    expect,
    description,
  ]);
  return table([head, ...rows]);
}

function table(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const numbers = new Set([2, 3]);
  return rows.map((row) =>
    row
      .map((text, column) => (numbers.has(column) ? text.padStart(widths[column]!) : text.padEnd(widths[column]!)))
      .join('  ')
      .trimEnd(),
  );
}

function accountLines({ rounds, operations, events, ms, pages, ends }: StressTally): string[] {
  const seconds = ms / 1000;
  const rate = seconds > 0 ? Math.round(operations / seconds) : 0;
  const { taken, linked, freed, held, lost } = pages;
  return [
    `${counted(rounds, 'round')}: ${counted(operations, 'operation')}, ${counted(events, 'event')} in ${seconds.toFixed(2)} s, ${rate} operations/s`,
    `pages: ${taken} taken = ${linked} linked + ${freed} freed + ${held} held by operations cut off + ${lost} lost`,
    `threads: ${[...ends].map(([kind, count]) => `${count} ${kind}`).join(', ')}`,
  ];
}

function findingLines(told: TalliedFinding): string[] {
  const { round, finding } = told;
  return [
    '',
    `round ${round} violated: ${finding.check}${finding.seq < 0 ? '' : ` at event ${finding.seq}`}`,
    `  ${finding.says}`,
    ...explanationLines(told).map((line) => (line.startsWith('p2m ') ? line : `  ${line}`)),
    '',
  ];
}

function brokenLines({ broken, known }: StressTally): string[] {
  const line = (head: string, rounds: ReadonlyMap<string, number>): string[] =>
    rounds.size === 0
      ? []
      : [`${head}: ${[...rounds].map(([name, n]) => `${name} in ${counted(n, 'round')}`).join(', ')}`];
  return [...line('broken', broken), ...line('known', known)];
}

/** The run as one JSON object. */
export function tallyJson(tally: StressTally, plan: RoundPlan, seed: number, again: string): object {
  const { layout, workload, threads, memory, mutant, chaos } = plan;
  const { verdict, rounds, operations, events, ms, ends, pages, outcomes, findings, broken, known, notes } = tally;
  return {
    verdict,
    kernel: layout.form.name,
    mutant: mutant ?? null,
    geometry: layout.geometry.name,
    memory,
    threads,
    ...workloadText(workload),
    chaos,
    seed,
    rounds,
    operations,
    events,
    seconds: ms / 1000,
    ends: Object.fromEntries(ends),
    pages,
    outcomes,
    findings: findings.map((told) => ({ round: told.round, ...explanationJson(told) })),
    broken: Object.fromEntries(broken),
    known: Object.fromEntries(known),
    notes,
    command: again,
  };
}

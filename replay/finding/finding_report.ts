import type { Program } from '../explore/program.js';
import { preemptionsOf, switchesOf, type Schedule } from '../explore/schedule.js';
import { criticalPair, type CriticalPair } from './critical_pair.js';
import { brokenChecks, type BrokenCheck } from './broken_checks.js';
import { printRuns } from './run_length.js';
import { stepTable } from './step_table.js';
import { tellPath, type ToldPath, type ToldStep } from './told_path.js';
import { walk } from './walk.js';

/** A path that is to be shown, and what it breaks. */
export interface Finding {
  /** Stands where the path begins, and is left there. */
  readonly program: Program;
  readonly schedule: Schedule;
  /** Bits of the checks that the path breaks; 0 for one that breaks none. */
  readonly bits: number;
  /** The complete command that runs the path again. */
  readonly command: string;
  readonly token: string;
  /** What a marked line of the table is given to, for colour. */
  readonly style?: (line: string) => string;
}

/** A check that a path breaks, for a JSON report. */
export interface FindingJson {
  readonly check: string;
  /** What is wrong, in words. */
  readonly message: string;
  /** Number of the step after which it is first broken, from 1 on; 0: before all. */
  readonly brokenAfter: number;
  /** It is broken by how the path ends. */
  readonly atEnd: boolean;
  /** Numbers of the two steps that alone make the path pass where they are swapped; null where no such two were found. */
  readonly criticalPair: readonly [number, number] | null;
  /** The path as runs of steps: `A12B3A`. */
  readonly runs: string;
  /** The path as steps: names of agents and of their steps. */
  readonly schedule: readonly (readonly [agent: string, label: string])[];
  readonly switches: number;
  readonly preemptions: number;
  readonly token: string;
}

/**
 * A counter-example as text: what is wrong, the path as a table, the two steps that it turns on, the first bad state, counts,
 * and as its last line the command that repeats it.
 */
export function findingText(finding: Finding): string {
  const { program, schedule, bits, command, style } = finding;
  const broken = brokenChecks(program, schedule, bits);
  const path = tellPath(program, schedule);
  const pair = criticalPair(program, schedule, bits);
  const first = firstOf(broken);
  const marks = new Map<number, string>();
  const mark = (step: number, text: string): void => void marks.set(step, (marks.get(step) ?? '') + text);
  if (typeof pair === 'object') {
    mark(pair.first, '>');
    mark(pair.second, '<');
  }
  if (first !== undefined && first.steps > 0) mark(first.steps - 1, '!');
  const names = program.agents.map(({ name }) => name);
  return [
    ...brokenLines(broken),
    '',
    ...stepTable(names, path, style === undefined ? { marks } : { marks, style }),
    '',
    ...(bits === 0 ? [] : [pairLine(pair, path), ...firstLine(first)]),
    countsLine(program, schedule),
    '',
    command,
  ].join('\n');
}

/** The same without the table, for one of many: what is wrong, counts, and the command that shows the rest. */
export function findingHead({ program, schedule, bits, command }: Finding): string {
  return [...brokenLines(brokenChecks(program, schedule, bits)), countsLine(program, schedule), command].join('\n');
}

/** A counter-example as JSON: an object for each check that it breaks. */
export function findingJson({ program, schedule, bits, token }: Finding): readonly FindingJson[] {
  const broken = brokenChecks(program, schedule, bits);
  const pair = criticalPair(program, schedule, bits);
  const path = {
    criticalPair: typeof pair === 'object' ? ([pair.first + 1, pair.second + 1] as const) : null,
    runs: printRuns(schedule),
    schedule: labelled(program, schedule),
    switches: switchesOf(schedule),
    preemptions: preemptionsOf(program, schedule),
    token,
  };
  return broken.map(({ name, message, steps, atEnd }) => ({
    check: name,
    message,
    brokenAfter: steps,
    atEnd,
    ...path,
  }));
}

function labelled(program: Program, schedule: Schedule): readonly (readonly [string, string])[] {
  const pairs: [string, string][] = [];
  return walk(
    program,
    schedule,
    (agent) => {
      const { name, at } = program.agents[agent]!;
      pairs.push([name, at!]);
      program.step(agent);
    },
    () => pairs,
  );
}

/** The check that is broken first; of several that begin to be with one step, the first of them. */
function firstOf(broken: readonly BrokenCheck[]): BrokenCheck | undefined {
  return broken.reduce<BrokenCheck | undefined>(
    (first, check) => (first === undefined || check.steps < first.steps ? check : first),
    undefined,
  );
}

function brokenLines(broken: readonly BrokenCheck[]): string[] {
  if (broken.length === 0) return ['no check is broken'];
  return broken.flatMap(({ name, message, steps, atEnd }) => [
    `violated: ${name}, ${atEnd ? 'at the end' : since(steps)}`,
    ...message.split('\n').map((line) => `  ${line}`),
  ]);
}

function since(steps: number): string {
  return steps === 0 ? 'before the first step' : `from step ${steps} on`;
}

function pairLine(pair: CriticalPair | 'none' | 'unknown', { steps }: ToldPath): string {
  if (pair === 'unknown') return 'no critical pair found: there are too many steps to try every swap';
  if (pair === 'none') {
    return new Set(steps.map(({ agent }) => agent)).size < 2
      ? 'no critical pair: all steps are of one agent'
      : 'no critical pair: no swap of two steps alone gives a path that passes';
  }
  const [first, second] = [pair.first, pair.second].map((step) => `${step + 1} (${placeOf(steps[step]!)})`);
  return `> <  the critical pair: swapping steps ${first!} and ${second!} alone gives a path that passes`;
}

function placeOf({ rows }: ToldStep): string {
  const [row] = rows;
  return row === undefined ? '' : `${row.where} ${row.label}`;
}

function firstLine(first: BrokenCheck | undefined): string[] {
  if (first === undefined) return [];
  const { name, steps, atEnd } = first;
  if (steps === 0) return [`     the first bad state is the one before the first step: ${name}`];
  return [`!    the first bad state is the one after step ${steps}${atEnd ? ', the last' : ''}: ${name}`];
}

function countsLine(program: Program, schedule: Schedule): string {
  const count = (n: number, what: string, many = `${what}s`): string => `${n} ${n === 1 ? what : many}`;
  const steps = count(schedule.length, 'step');
  const switches = count(switchesOf(schedule), 'switch', 'switches');
  const runs = schedule.length === 0 ? '' : `: ${printRuns(schedule)}`;
  return `${steps}, ${switches}, ${count(preemptionsOf(program, schedule), 'preemption')}${runs}`;
}

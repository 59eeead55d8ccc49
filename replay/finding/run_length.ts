import { usageError } from '../../events/index.js';
import type { Schedule } from '../explore/schedule.js';

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ';

/** Most steps that a run-length text may stand for: a wrong count must not fill the memory. */
const STEPS_MAX = 10_000_000;

const RUN = /([A-Z])(\d*)/g;

/**
 * A schedule as runs of steps of one agent: `A12B3A` is twelve steps of agent 0, three of agent 1, one of agent 0.
 *
 * @throws {P2mError} code `usage`: an agent beyond 26, for whom there is no letter
 */
export function printRuns(schedule: Schedule): string {
  let text = '';
  for (let start = 0, end = 0; start < schedule.length; start = end) {
    const agent = schedule[start]!;
    while (schedule[end] === agent) end++;
    const letter = LETTERS[agent];
    if (letter === undefined) {
      throw usageError('agents have letters', { got: `agent ${agent}`, expected: `at most ${LETTERS.length} agents` });
    }
    text += end - start === 1 ? letter : `${letter}${end - start}`;
  }
  return text;
}

/**
 * The schedule that `printRuns` gives `text` for.
 *
 * @throws {P2mError} code `usage`: `text` is of no schedule, with the first step where it goes wrong
 */
export function parseRuns(text: string): Schedule {
  const schedule: number[] = [];
  let at = 0;
  let last = '';
  for (const [run, letter, digits] of text.matchAll(RUN)) {
    const count = digits === '' ? 1 : Number(digits);
    const isCanonical = letter !== last && (digits === '' || (count > 1 && !digits!.startsWith('0')));
    if (!isCanonical || schedule.length + count > STEPS_MAX) throw wrongRun(schedule.length, run);
    for (let i = 0; i < count; i++) schedule.push(LETTERS.indexOf(letter!));
    last = letter!;
    at += run.length;
  }
  if (at !== text.length) throw wrongRun(schedule.length, text.slice(at));
  return schedule;
}

function wrongRun(taken: number, got: string): Error {
  return usageError(`bad run at step ${taken + 1} of a schedule`, {
    got: JSON.stringify(got),
    expected: `a letter other than the last and a count from 2 on, as in A12BA3, ${STEPS_MAX} steps at most`,
  });
}

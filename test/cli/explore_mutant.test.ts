import { expect, it, vi } from 'vitest';
import { inlineScenario, mutantsByName, scenarioCommand } from '../../replay/index.js';
import { addExplore } from '../../cli/explore.js';
import { keptOutput, runVerb } from './in_process.js';

vi.mock('../../cli/output.js', async () => (await import('./in_process.js')).keptOutput);

const WORD = /'([^']*)'|(\S+)/g;

/** The words of a command behind `p2m`, as a shell takes them. */
function wordsOf(command: string): string[] {
  return [...command.matchAll(WORD)].slice(1).map(([, quoted, plain]) => quoted ?? plain!);
}

it('explores a kernel with a mistake in it, and repeats it by the command that it ends with', async () => {
  const scenario = inlineScenario({
    kernel: '7.0',
    geometry: 'tiny',
    layout: ['nr 20; hole 16 20'],
    threads: ['set 0x11 m:1', 'set 0x11 m:2'],
    check: ['leak'],
  });
  const own = await runVerb(addExplore, wordsOf(scenarioCommand(scenario)));
  expect(own.stdout.at(-1)).toBe('verdict: ok');
  const command = scenarioCommand(scenario, mutantsByName('leaf-lock-dropped')[0]);
  const found = await runVerb(addExplore, wordsOf(command));
  expect(found.stdout).toContain('broken: leak');
  const again = found.stdout.at(-1)!;
  expect(again).toContain('--mutant leaf-lock-dropped');
  const replayed = await runVerb(addExplore, wordsOf(again));
  expect(replayed.stdout.at(-1)).toBe(again);
  expect(keptOutput.notes).toEqual([]);
});

import type { Form, Switch } from '../../src/index.js';
import { formByKernel } from '../../src/index.js';
import { explore } from '../explore/explore.js';
import type { GalleryEntry } from '../gallery/gallery_entry.js';
import { GALLERY } from '../gallery/gallery.js';
import type { Kernel, Mutant } from '../mutate/mutant.js';
import { rowsChanged } from '../mutate/changed_rows.js';
import { mutantsByName } from '../mutate/mutants.js';
import type { Scenario } from '../scenario/scenario.js';
import { ScenarioProgram } from '../scenario/scenario_program.js';
import type { RoundFinding } from './round_finding.js';

/** What a finding is known as. */
export interface KnownDefect {
  /** Name in the gallery (`p2m gallery`), or of the mutant. */
  readonly name: string;
  /** Number in known-defects.md; `new` for what the newest form has too; `mutant`. */
  readonly defect: string;
  readonly about: string;
  /** How it was recognised: without the defect the scenario passes, or by the check and the form alone. */
  readonly by: 'correction' | 'shape';
}

/** A defect, and the kernel without it. */
interface Correction {
  readonly known: Omit<KnownDefect, 'by'>;
  readonly isIn: (form: Form) => boolean;
  readonly correct: (kernel: Kernel) => Kernel;
}

function bySwitch(name: string, corrected: Switch, structure: Form['structure'] = 'linear'): Correction {
  return {
    known: knownAs(entryNamed(name)),
    isIn: (form) => form.structure === structure && !form[corrected],
    correct: ({ form, machines }) => ({ form: { ...form, [corrected]: true }, machines }),
  };
}

/** The races first: a round is about them. */
const CORRECTIONS: readonly Correction[] = [
  bySwitch('compare-value-read-again', 'treeLeafReadOnce', 'tree'),
  bySwitch('freed-mid-mfn-used', 'treeMidMfnLoserUsesWinner', 'tree'),
  bySwitch('stale-pte-pointer', 'pmdLoserWalksAgain'),
  {
    known: knownAs(entryNamed('top-mfn-compared-too-early')),
    isIn: ({ structure }) => structure === 'linear',
    correct: withoutTopWindow,
  },
  bySwitch('mfn-tree-by-virt-to-mfn', 'mfnTreeFromPte'),
  bySwitch('second-pmd-empty', 'secondPmdPopulated'),
  bySwitch('identity-base-unmasked', 'identityBaseMasked'),
  bySwitch('list-without-room-for-hotplug', 'p2mLimit'),
  bySwitch('last-pfn-off-by-one', 'lastPfnAligned'),
  bySwitch('pfn-above-the-tree', 'pfnAboveMax'),
  bySwitch('out-of-range-store-dies', 'outOfRangeIsFalse'),
];

/**
 * The two top pages change as one, and who has read one of them before does not compare it with the other: it loses A4.4 and
 * takes the winner's page, nothing else changes (docs/mutants.md, `top-mfn-check-dropped`).
 */
function withoutTopWindow(kernel: Kernel): Kernel {
  const { form, machines } = mutantsByName('top-mfn-check-dropped')[0]!.apply(kernel);
  const allocP2m = rowsChanged(machines.allocP2m!, {
    'A4.4': (r, cpu, rows) => {
      const next = rows.run(r, cpu);
      return next === rows.at('A4.5') ? rows.run(r, cpu, 'A4.5') : next;
    },
  });
  return { form, machines: { ...machines, allocP2m } };
}

/** Checks by which defects show that no switch corrects, and the forms that have them. */
interface Shape {
  readonly name: string;
  readonly isIn: (form: Form) => boolean;
  readonly shows: (finding: RoundFinding, scenario: Scenario | undefined) => boolean;
}

const LAST_PFN = ['last-pfn-too-low', 'shared-max_pfn-too-low', 'max-pfn-misses-leaf'];
const isTree = ({ structure }: Form): boolean => structure === 'tree';
const isRace = (scenario: Scenario | undefined): boolean => scenario === undefined || scenario.threads.length > 1;
const isAlone = (scenario: Scenario | undefined): boolean => scenario !== undefined && scenario.threads.length === 1;

const SHAPES: readonly Shape[] = [
  {
    name: 'top-mfn-compared-too-early',
    isIn: () => true,
    shows: ({ check, says }, scenario) => check === 'BUG_ON' && says.includes('(top-mfn-mismatch)') && isRace(scenario),
  },
  {
    name: 'last-pfn-lost-update',
    isIn: ({ listForTools }) => listForTools,
    shows: ({ check }, scenario) => LAST_PFN.includes(check) && isRace(scenario),
  },
  {
    name: 'freed-mid-used',
    isIn: isTree,
    shows: ({ check }, scenario) =>
      ['use-after-free', 'false-set', 'leak', 'mfn-tree-misses-leaf', 'list-and-tree-differ'].includes(check) &&
      isRace(scenario),
  },
  {
    name: 'identity-leaf-written',
    isIn: isTree,
    shows: ({ check }, scenario) =>
      ['shared-leaf-written', 'not-linearizable', 'false-outcome'].includes(check) && isAlone(scenario),
  },
  {
    name: 'identity-leaf-split-to-missing',
    isIn: isTree,
    shows: ({ check }, scenario) => check === 'bystander-changed' && isAlone(scenario),
  },
  {
    name: 'grant-batch-stops',
    isIn: ({ grantErrorsPerSlot }) => !grantErrorsPerSlot,
    shows: ({ check }) => check === 'warning',
  },
];

/**
 * The defects of the gallery that a finding of a round shows, for the kernel it ran: those without which the scenario passes
 * that shows the finding, one or two. Where no correction is known, or there is no scenario, the check and the form must do.
 *
 * @param kernel   that the round ran, without a mutant
 * @param scenario that shows the finding; undefined where none was found
 * @param mutant   the mistake that was put into the kernel: it counts as a defect
 * @returns none: the gallery has nothing like it. It is a new finding
 */
export function knownDefects(
  finding: RoundFinding,
  kernel: string,
  scenario: Scenario | undefined,
  mutant?: Mutant,
): readonly KnownDefect[] {
  const form = formByKernel(kernel);
  if (scenario !== undefined) {
    const corrections = CORRECTIONS.filter(({ isIn }) => isIn(form));
    const own = mutant === undefined ? [] : [ofMutant(mutant, form)];
    const found = explainedBy(scenario, [...own, ...corrections]);
    if (found.length > 0) return found.map(({ known }) => ({ ...known, by: 'correction' }));
  }
  const shape = SHAPES.find(({ isIn, shows }) => isIn(form) && shows(finding, scenario));
  return shape === undefined ? [] : [{ ...knownAs(entryNamed(shape.name)), by: 'shape' }];
}

/** One correction, or two, with which the scenario passes; the first alone that does, for a defect explains it without others. */
function explainedBy(scenario: Scenario, corrections: readonly Correction[]): readonly Correction[] {
  const corrected = (kernel: Scenario, { correct }: Correction): Scenario => ({ ...kernel, ...correct(kernel) });
  const one = corrections.find((correction) => passes(corrected(scenario, correction)));
  if (one !== undefined) return [one];
  for (const [i, first] of corrections.entries()) {
    const once = corrected(scenario, first);
    const second = corrections.slice(i + 1).find((correction) => passes(corrected(once, correction)));
    if (second !== undefined) return [first, second];
  }
  return [];
}

/** The kernel without the mistake. */
function ofMutant({ name, what }: Mutant, form: Form): Correction {
  const known = { name, defect: 'mutant', about: what };
  return { known, isIn: () => true, correct: () => ({ form, machines: {} }) };
}

function entryNamed(name: string): GalleryEntry {
  return GALLERY.find((entry) => entry.name === name)!;
}

function knownAs({ name, defect, about }: GalleryEntry): Omit<KnownDefect, 'by'> {
  return { name, defect, about };
}

/** Whether no interleaving breaks what the scenario is held to. */
function passes(scenario: Scenario): boolean {
  return explore(new ScenarioProgram(scenario), { method: 'auto', first: true, runs: 50 }).verdict === 'ok';
}

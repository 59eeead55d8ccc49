import { explore, type Exploration, type ExploreOptions } from '../explore/explore.js';
import { scenarioOf } from '../scenario/read_scenario.js';
import { ScenarioProgram } from '../scenario/scenario_program.js';
import { NOT_RUN, RACES, SEQUENTIAL } from './corrected_defects.js';
import type { GalleryEntry } from './gallery_entry.js';
import { NEWEST_FORM } from './newest_form.js';

/** Every defect that is known, the corrected ones first. */
export const GALLERY: readonly GalleryEntry[] = [...RACES, ...SEQUENTIAL, ...NEWEST_FORM, ...NOT_RUN];

/** What a scenario of the gallery came to under one kernel. */
export interface GalleryResult {
  readonly entry: GalleryEntry;
  readonly kernel: string;
  readonly expected: 'ok' | 'violated';
  readonly exploration: Exploration;
  /** Names of the checks that are broken, over all violations. */
  readonly broken: readonly string[];
}

/** Explores the entry's scenario under each kernel that it has an expectation of, in their order. */
export function* runEntry(entry: GalleryEntry, options: Partial<ExploreOptions> = {}): Generator<GalleryResult> {
  const { scenario, expect } = entry;
  if (scenario === undefined) return;
  for (const [kernel, expected] of Object.entries(expect)) {
    const program = new ScenarioProgram(scenarioOf({ ...scenario, kernel }));
    const exploration = explore(program, options);
    const bits = exploration.violations.reduce((sum, violation) => sum | violation.bits, 0);
    const broken = program.checks.filter((_, check) => (bits & (1 << check)) !== 0);
    yield { entry, kernel, expected, exploration, broken };
  }
}

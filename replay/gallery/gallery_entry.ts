import type { ScenarioJson } from '../scenario/read_scenario.js';

/** What an entry needs beyond a scenario of this explorer: then it is listed, and not run. */
export type GalleryNeed = 'tlb' | 'boot' | 'grants' | 'tools' | 'compiler';

/** A defect of the kernel's p2m code as a scenario, and which kernels have it. */
export interface GalleryEntry {
  /** What it is called on the command line: lower case with dashes. */
  readonly name: string;
  /** Its number in known-defects.md; `new` for what the explorer has found in the newest form too. */
  readonly defect: string;
  /** What goes wrong, in one sentence. */
  readonly about: string;
  /** What it cannot be run without. */
  readonly needs?: GalleryNeed;
  /** Undefined where it needs something that a scenario does not have. Its kernel is the first that has the defect. */
  readonly scenario?: ScenarioJson;
  /** By kernel: what the exploration of the scenario under it comes to. */
  readonly expect: Readonly<Record<string, 'ok' | 'violated'>>;
}

import type { Domain } from '../../src/index.js';
import type { Accesses } from '../explore/accesses.js';
import type { StateSink } from '../explore/program.js';
import { EndChecker } from './end_flags.js';
import { PathChecker, type PathImage } from './path_flags.js';
import { CHECKS, VECTOR_FLAGS, type Scenario, type ScenarioFlag, type ScenarioOperation } from './scenario.js';
import type { Finished, ScenarioThread } from './scenario_thread.js';

/** What the checks have gathered so far; nothing in it changes. */
export interface ChecksImage {
  readonly path: PathImage;
}

/** A step that was taken. */
export interface TakenStep {
  readonly thread: number;
  /** By thread: the operation in its hand before the step. */
  readonly inHand: readonly (ScenarioOperation | undefined)[];
  /** What ended in the step. */
  readonly finished: readonly Finished[];
  /** The step's events are those of the domain's batch from here on. */
  readonly eventsFrom: number;
  /** What it touched. */
  readonly accesses: Accesses;
}

/**
 * All that a path of a scenario is held to: told of each step, asked at each state. The domain, and the threads it is given,
 * are looked at and never changed.
 */
export class ScenarioChecks {
  readonly #path: PathChecker;
  readonly #end: EndChecker;

  /** Takes the domain as it is before the run. */
  constructor(scenario: Scenario, domain: Domain) {
    this.#path = new PathChecker(scenario, domain.memory);
    this.#end = new EndChecker(scenario, domain);
  }

  get image(): ChecksImage {
    return { path: this.#path.image };
  }

  set image(image: ChecksImage) {
    this.#path.image = image.path;
  }

  /** `thread` is about to step, in the middle of `operation`. */
  beforeStep(thread: number, operation: ScenarioOperation | undefined): void {
    this.#path.beforeStep(thread, operation);
  }

  /** A step was taken. */
  afterStep({ thread, inHand, finished }: TakenStep): void {
    this.#path.afterStep(thread, inHand, finished);
  }

  /** Bits of the checks that the path has broken so far. */
  broken(): number {
    return bitsOf(this.#path.flags);
  }

  /** Bits of the checks that the path has broken, which ends here. */
  endBroken(threads: readonly ScenarioThread[]): number {
    return this.broken() | bitsOf([...this.#end.flags(threads)]);
  }

  /** Flags of an outcome as the vectors define them, of a path that ends here. */
  flags(threads: readonly ScenarioThread[]): readonly ScenarioFlag[] {
    const flags = new Set<ScenarioFlag>([...this.#path.flags, ...this.#end.flags(threads)]);
    return VECTOR_FLAGS.filter((flag) => flags.has(flag));
  }

  /** What is wrong, in words; `check` is broken here. */
  explain(check: number): string {
    return CHECKS[check]!;
  }

  /** Pages that a CPU has allocated in the run. */
  allocated(cpu: number): number[] {
    return this.#end.allocated(cpu);
  }

  /** What was gathered, and what of it later checks will depend on. */
  state(into: StateSink): void {
    this.#path.hash(into);
  }
}

function bitsOf(flags: readonly ScenarioFlag[]): number {
  return flags.reduce((bits, flag) => bits | (1 << CHECKS.indexOf(flag)), 0);
}

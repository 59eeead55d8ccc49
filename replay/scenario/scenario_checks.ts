import type { Domain } from '../../src/index.js';
import type { StateSink } from '../explore/program.js';
import {
  changedSince,
  type CheckedRun,
  type CheckFamily,
  type EndedThread,
  type TakenStep,
} from './checks/check_family.js';
import { EndChecks } from './checks/end_checks.js';
import { bitOf, Findings, type Finding } from './checks/findings.js';
import { LinkChecks } from './checks/link_checks.js';
import { LookChecks, type LooksImage } from './checks/look_checks.js';
import { MaxPfnChecks } from './checks/max_pfn_checks.js';
import { PageChecks } from './checks/page_checks.js';
import { PathWords } from './checks/path_words.js';
import { RegisterChecks } from './checks/register_checks.js';
import { RunPages } from './checks/run_pages.js';
import { SetChecks, type SetsImage } from './checks/set_checks.js';
import { SharedPageChecks } from './checks/shared_page_checks.js';
import { ToolsTreeChecks } from './checks/tools_tree_checks.js';
import { CHECKS, VECTOR_FLAGS, type Scenario, type ScenarioFlag, type ScenarioOperation } from './scenario.js';

export type { EndedThread, TakenStep } from './checks/check_family.js';

/** What the checks have gathered so far; nothing in it changes. */
export interface ChecksImage {
  readonly found: Finding | undefined;
  readonly looks: LooksImage | undefined;
  readonly sets: SetsImage | undefined;
  readonly registers: Int32Array | undefined;
}

/** What a path breaks as soon as it happens; a vector's flag says it of the end alone. */
const AT_END_IN_VECTORS = bitOf('shared-pte-page-written') | bitOf('shared-leaf-written');
const FOUND_KEY = 2 ** 31 - 1;

/**
 * All that a path of a scenario is held to: told of each step, asked at each state. Domain and threads are looked at and
 * never changed. A check that the scenario does not name costs nothing, in time and in state.
 */
export class ScenarioChecks {
  readonly #run: CheckedRun;
  readonly #held: number;
  readonly #families: readonly CheckFamily[];
  readonly #looks: LookChecks | undefined;
  readonly #sets: SetChecks | undefined;
  readonly #registers: RegisterChecks | undefined;
  /** What is wrong where the path ends; undefined where nobody has asked since the last step. */
  #end: Findings | undefined;
  #threads: readonly EndedThread[] = [];

  /** Takes the domain as it is before the run. */
  constructor(scenario: Scenario, domain: Domain) {
    this.#held = scenario.check.reduce((bits, name) => bits | bitOf(name), 0);
    const found = new Findings(this.#held);
    const { memory } = domain;
    const words = new PathWords(scenario, domain);
    const run: CheckedRun = { scenario, domain, memory, pages: new RunPages(domain), words, found };
    this.#run = run;
    this.#looks = found.holds(
      'bystander-changed',
      'target-had-never-set-value',
      'lookup-outside-interval',
      'lookup-never-set-value',
    )
      ? new LookChecks(run)
      : undefined;
    this.#sets = found.holds('lost-update', 'false-set') ? new SetChecks(run) : undefined;
    this.#registers = found.holds('not-linearizable') ? new RegisterChecks(run) : undefined;
    this.#families = [this.#looks, this.#sets, this.#registers, ...withoutMemory(run)].filter(
      (family) => family !== undefined,
    );
  }

  get image(): ChecksImage {
    return {
      found: this.#run.found.image,
      looks: this.#looks?.image,
      sets: this.#sets?.image,
      registers: this.#registers?.image,
    };
  }

  set image({ found, looks, sets, registers }: ChecksImage) {
    this.#end = undefined;
    this.#run.found.image = found;
    if (looks !== undefined) this.#looks!.image = looks;
    if (sets !== undefined) this.#sets!.image = sets;
    if (registers !== undefined) this.#registers!.image = registers;
  }

  /** `thread` is about to step, in the middle of `operation`. */
  beforeStep(thread: number, operation: ScenarioOperation | undefined): void {
    this.#end = undefined;
    this.#looks?.beforeStep(thread, operation);
    this.#sets?.beforeStep(thread, operation);
    this.#registers?.beforeStep(thread, operation);
  }

  /** A step was taken. */
  afterStep(step: TakenStep): void {
    const changed = changedSince(this.#run.domain, step.eventsFrom);
    for (const family of this.#families) family.afterStep?.(step, changed);
  }

  /** Bits of the checks that the path has broken so far. */
  broken(): number {
    return this.#run.found.bits;
  }

  /** Bits of the checks that the path has broken, which ends here. */
  endBroken(threads: readonly EndedThread[]): number {
    return this.broken() | this.#endOf(threads).bits;
  }

  /** Flags of an outcome as the vectors define them, of a path that ends here; those that the scenario is held to. */
  flags(threads: readonly EndedThread[]): readonly ScenarioFlag[] {
    const bits = (this.broken() & ~AT_END_IN_VECTORS) | this.#endOf(threads).bits;
    return VECTOR_FLAGS.filter((flag) => (bits & bitOf(flag)) !== 0);
  }

  /** What is wrong, in words; `check` is broken here. */
  explain(check: number): string {
    const says = this.#run.found.says(check) ?? this.#endOf(this.#threads).says(check);
    return says ?? CHECKS[check]!;
  }

  /** Pages that a CPU has allocated in the run. */
  allocated(cpu: number): number[] {
    return this.#run.pages.allocated(cpu);
  }

  /** What was found, and what of the rest later checks will depend on. */
  state(into: StateSink): void {
    into.add(FOUND_KEY, this.#run.found.bits);
    this.#looks?.state(into);
    this.#sets?.state(into);
    this.#registers?.state(into);
  }

  #endOf(threads: readonly EndedThread[]): Findings {
    if (this.#end !== undefined) return this.#end;
    this.#threads = threads;
    const found = new Findings(this.#held);
    const isQuiet = threads.every(({ died, at }) => !died && at === undefined);
    for (const family of this.#families) family.atEnd?.({ threads, isQuiet, found });
    this.#end = found;
    return found;
  }
}

/** The families that remember nothing but what they find. */
function withoutMemory(run: CheckedRun): (CheckFamily | undefined)[] {
  const { found } = run;
  return [
    found.holds('BUG_ON', 'deadlock') ? new EndChecks(run) : undefined,
    found.holds('shared-pte-page-written', 'shared-leaf-written') ? new SharedPageChecks(run) : undefined,
    found.holds('leak', 'freed-page-reachable', 'double-free', 'use-after-free') ? new PageChecks(run) : undefined,
    found.holds('private-page-changed') ? new LinkChecks(run) : undefined,
    found.holds('mfn-tree-misses-leaf', 'top-mismatch', 'list-and-tree-differ') ? new ToolsTreeChecks(run) : undefined,
    found.holds('last-pfn-too-low', 'shared-max_pfn-too-low', 'max-pfn-misses-leaf')
      ? new MaxPfnChecks(run)
      : undefined,
  ];
}

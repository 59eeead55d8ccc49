import { Global } from '../../events/index.js';
import type { Geometry, Memory } from '../../src/index.js';
import { scenarioOf, watched, type ScenarioJson } from '../scenario/read_scenario.js';
import type { CheckName, LayoutEntry, Scenario, ScenarioOperation } from '../scenario/scenario.js';
import { windowLayout, windowPages } from '../window/window_layout.js';
import type { RoundCall } from './round_calls.js';

/** Mid pages of a list that is short enough to be laid out again and again; of a longer one those that matter are moved. */
const MIDS_MAX = 4;

/**
 * Operations of a round as a scenario: a thread a CPU, the list laid out as it stands in the memory, as far as they touch it.
 * Where the list is long the mid pages that they touch are moved to its beginning: a race is the same there.
 *
 * @throws {P2mError} bad input: no scenario can have them
 */
export function roundScenario(
  memory: Memory,
  kernel: string,
  calls: readonly RoundCall[],
  check: readonly CheckName[],
  failAt = 0,
): Scenario {
  const { geometry } = memory;
  const threads = threadsOf(calls);
  const pfns = threads.flat().map(([, pfn]) => pfn);
  const pages = windowPages(memory, pfns);
  const layout = windowLayout(memory, watched(threads, pages, geometry));
  const moved = new MovedMids(geometry, pfns, memory.words[Global.xen_p2m_size]!);
  const json = {
    kernel,
    ...(geometry.name === 'x86_64' ? {} : { geometry: geometry.name }),
    layout: moved.isNeeded ? moved.layout(layout) : layout,
    threads: moved.isNeeded ? threads.map((thread) => thread.map((operation) => moved.operation(operation))) : threads,
    ...(failAt > 0 ? { fail: { at: failAt } } : {}),
    check,
  };
  return scenarioOf(json as unknown as ScenarioJson);
}

function threadsOf(calls: readonly RoundCall[]): ScenarioOperation[][] {
  const threads = new Map<number, ScenarioOperation[]>();
  for (const { cpu, operations } of [...calls].sort((a, b) => a.call - b.call)) {
    const thread = threads.get(cpu) ?? [];
    threads.set(cpu, thread);
    thread.push(...operations);
  }
  return [...threads.values()];
}

/** Mid pages that some pfns lie in, moved behind the first one, which stays populated. */
class MovedMids {
  readonly isNeeded: boolean;
  readonly #span: number;
  /** By number of a mid page: where it goes. */
  readonly #to = new Map<number, number>();

  constructor({ pfnsPerMidPage }: Geometry, pfns: readonly number[], listEnd: number) {
    this.#span = pfnsPerMidPage;
    this.isNeeded = listEnd > MIDS_MAX * pfnsPerMidPage && pfns.every((pfn) => pfn < listEnd);
    const mids = [...new Set(pfns.map((pfn) => Math.floor(pfn / pfnsPerMidPage)))].sort((a, b) => a - b);
    for (const mid of mids) this.#to.set(mid, this.#to.size + 1);
  }

  layout(layout: readonly LayoutEntry[]): LayoutEntry[] {
    return layout.flatMap((entry): LayoutEntry[] => {
      if (entry[0] === 'nr') return [['nr', String((this.#to.size + 1) * this.#span)]];
      if (entry[0] !== 'hole' && entry[0] !== 'identity') return [entry];
      const [start, end] = [Number(entry[1]), Number(entry[2])];
      const to = this.#to.get(Math.floor(start / this.#span));
      if (to === undefined) return [];
      const first = to * this.#span + (start % this.#span);
      return [[entry[0], String(first), String(first + end - start)]];
    });
  }

  operation([kind, pfn, value]: ScenarioOperation): ScenarioOperation {
    const moved = this.#moved(pfn);
    if (value === undefined) return [kind, moved] as ScenarioOperation;
    return [kind, moved, value === `i:${pfn}` ? `i:${moved}` : value] as ScenarioOperation;
  }

  #moved(pfn: number): number {
    return this.#to.get(Math.floor(pfn / this.#span))! * this.#span + (pfn % this.#span);
  }
}

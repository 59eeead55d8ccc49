import { usageError } from '../../events/index.js';
import { IntList } from './int_list.js';
import { pctBound, PctPicker } from './pct.js';
import { takeBack } from './picker.js';
import type { Program } from './program.js';
import { Random } from './random.js';
import { RandomPicker } from './random_run.js';
import type { Schedule } from './schedule.js';

/** How many paths to run, and how they are picked. */
export interface BurstOptions {
  /** Most paths to run. */
  readonly runs: number;
  /** Default 1. The same seed gives the same paths for ever. */
  readonly seed?: number;
  /** `both`, the default: by turns. The first run of a burst is random whatever is chosen: PCT must know how long paths are. */
  readonly picker?: 'random' | 'pct' | 'both';
  /** Depth of the bugs that PCT is after; default 3. */
  readonly depth?: number;
  /** Whether the first hit ends the burst; default true. */
  readonly stopAtFirst?: boolean;
  /** Bits of the checks that make a hit; default all. */
  readonly wanted?: number;
}

/** How often one picker has hit. */
export interface PickerHits {
  readonly runs: number;
  readonly hits: number;
}

/** A path that breaks something. */
export interface BurstHit {
  /** 0 for the first run. */
  readonly run: number;
  readonly picker: 'random' | 'pct';
  /** Bits of the wanted checks that are broken at its end. */
  readonly bits: number;
  readonly schedule: Schedule;
}

/** What a burst came to. It proves nothing where nothing was hit. */
export interface Burst {
  readonly runs: number;
  /** Of all paths together. */
  readonly steps: number;
  /** Runs that broke something. */
  readonly hits: number;
  /** Hits a run; 0 where there was no run. */
  readonly hitRate: number;
  readonly first: BurstHit | undefined;
  readonly random: PickerHits;
  readonly pct: PickerHits & {
    readonly depth: number;
    /** Of the longest path seen. */
    readonly steps: number;
    readonly agents: number;
    /** Least chance of a PCT run to hit a bug of that depth, if there is one and no path is longer (`pctBound`). */
    readonly bound: number;
  };
}

/**
 * Runs `program` from where it stands along many paths, random ones and PCT's, each to its end and back.
 *
 * What a path has broken stays broken, so `broken` is asked once a path, at its end.
 *
 * @throws {P2mError} code `usage`: a depth below 1, or a number of runs that is none
 */
export function burst(program: Program, options: BurstOptions): Burst {
  return new Runs(program, options).result();
}

class Runs {
  readonly #program: Program;
  readonly #options: Required<BurstOptions>;
  readonly #random: RandomPicker;
  readonly #pct: PctPicker;
  readonly #path = new IntList();
  readonly #counts = { random: { runs: 0, hits: 0 }, pct: { runs: 0, hits: 0 } };
  #steps = 0;
  #first: BurstHit | undefined;

  constructor(program: Program, options: BurstOptions) {
    this.#program = program;
    this.#options = { seed: 1, picker: 'both', depth: 3, stopAtFirst: true, wanted: -1, ...options };
    const { runs, depth, seed } = this.#options;
    wants('number of runs', runs, 0);
    wants('depth of bugs', depth, 1);
    const random = new Random(seed);
    this.#random = new RandomPicker(random);
    this.#pct = new PctPicker(random, program.agents.length, depth);
  }

  result(): Burst {
    const { runs, depth, stopAtFirst } = this.#options;
    for (let run = 0; run < runs && !(stopAtFirst && this.#first !== undefined); run++) this.#run(run);
    const { random, pct } = this.#counts;
    const taken = random.runs + pct.runs;
    const hits = random.hits + pct.hits;
    const { steps } = this.#pct;
    const agents = this.#program.agents.length;
    return {
      runs: taken,
      steps: this.#steps,
      hits,
      hitRate: hits / Math.max(taken, 1),
      first: this.#first,
      random,
      pct: { ...pct, depth, steps, agents, bound: pctBound(agents, steps, depth) },
    };
  }

  #run(run: number): void {
    const picker = this.#pickerOf(run);
    const path = this.#path;
    if (picker === 'pct') this.#pct.run(this.#program, path);
    else this.#random.run(this.#program, path);
    const bits = this.#program.broken() & this.#options.wanted;
    takeBack(this.#program, path.length);
    this.#steps += path.length;
    if (path.length > this.#pct.steps) this.#pct.steps = path.length;
    this.#counts[picker].runs++;
    if (bits === 0) return;
    this.#counts[picker].hits++;
    this.#first ??= { run, picker, bits, schedule: path.toArray() };
  }

  #pickerOf(run: number): 'random' | 'pct' {
    const { picker } = this.#options;
    if (run === 0) return 'random';
    return picker === 'both' ? (run % 2 === 1 ? 'pct' : 'random') : picker;
  }
}

function wants(what: string, value: number, least: number): void {
  if (!Number.isSafeInteger(value) || value < least) {
    throw usageError(`bad ${what}`, { got: String(value), expected: `a whole number from ${least}` });
  }
}

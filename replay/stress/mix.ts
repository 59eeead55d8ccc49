import { usageError } from '../../events/index.js';

/**
 * What a thread of a stress run may do: `set` to a value that no other operation sets, `clear` to INVALID, `identity` to the
 * pfn's identity value, `grant` maps grants or unmaps what was mapped, `touch` sets where nothing was private yet.
 */
export const MIX_OPERATIONS = [
  'look-up',
  'set',
  'clear',
  'identity',
  'balloon-down',
  'balloon-up',
  'grant',
  'touch',
] as const;

/** Name of an operation of a mix. */
export type MixOperation = (typeof MIX_OPERATIONS)[number];

/** What several threads touch first at about the same time: a leaf, what one PT page spans, or what one mid page spans. */
export type Region = 'leaf' | 'pmd' | 'top';

/** How often each operation is done, in parts of the sum. */
export interface Mix {
  readonly weights: Readonly<Record<MixOperation, number>>;
  /** `leaf` where there is no `touch`. */
  readonly region: Region;
}

/** Largest weight of an operation. */
export const WEIGHT_MAX = 10_000;

/** How a text calls `touch`, by its region. */
const TOUCHES = { leaf: 'touch', pmd: 'touch-pmd', top: 'touch-top' } as const satisfies Record<Region, string>;

/** The mixes that have a name. */
export const MIXES = {
  /** A domain that is busy: mostly look-ups, some of everything. */
  default: readMix('look-up=60,set=20,clear=5,balloon-down=2,balloon-up=2,grant=6,touch=5'),
  sets: readMix('look-up=30,set=60,clear=10'),
  'look-ups': readMix('look-up=99,set=1'),
  balloon: readMix('look-up=40,balloon-down=30,balloon-up=30'),
  grants: readMix('look-up=40,grant=60'),
  leaves: readMix('look-up=40,touch=60'),
  pmds: readMix('look-up=40,touch-pmd=60'),
  tops: readMix('look-up=40,touch-top=60'),
} as const satisfies Record<string, Mix>;

/** A mix by its name, or as `look-up=60,set=30,touch-pmd=10`. @throws P2mError (usage) with the piece that is wrong */
export function parseMix(text: string): Mix {
  return Object.hasOwn(MIXES, text) ? MIXES[text as keyof typeof MIXES] : readMix(text);
}

/** The text of a mix, its name where it has one, which `parseMix` reads back. */
export function mixText(mix: Mix): string {
  const weights = weightsText(mix);
  return Object.entries(MIXES).find(([, named]) => weightsText(named) === weights)?.[0] ?? weights;
}

function weightsText({ weights, region }: Mix): string {
  return MIX_OPERATIONS.filter((name) => weights[name] > 0)
    .map((name) => `${name === 'touch' ? TOUCHES[region] : name}=${weights[name]}`)
    .join(',');
}

function readMix(text: string): Mix {
  const weights = Object.fromEntries(MIX_OPERATIONS.map((name) => [name, 0])) as Record<MixOperation, number>;
  const seen = new Set<MixOperation>();
  let region: Region = 'leaf';
  for (const piece of text.split(',').map((part) => part.trim())) {
    const [name, weight] = readWeight(piece);
    const touched = (Object.keys(TOUCHES) as Region[]).find((kind) => TOUCHES[kind] === name);
    const operation = touched === undefined ? (name as MixOperation) : 'touch';
    if (seen.has(operation)) {
      throw usageError(operation === 'touch' ? 'a mix touches one kind of region' : `${name} stands twice in the mix`, {
        got: JSON.stringify(text),
      });
    }
    seen.add(operation);
    weights[operation] = weight;
    // Without a weight the region would be lost in print.
    if (touched !== undefined && weight > 0) region = touched;
  }
  if (Object.values(weights).every((weight) => weight === 0)) {
    throw usageError('a mix with nothing in it', { got: JSON.stringify(text), expected: 'a weight above 0' });
  }
  return { weights, region };
}

function readWeight(piece: string): [name: string, weight: number] {
  const match = /^([a-z-]+)=(\d{1,5})$/.exec(piece);
  const known: readonly string[] = [...MIX_OPERATIONS, ...Object.values(TOUCHES)];
  if (match === null || !known.includes(match[1]!)) {
    throw usageError('bad piece of a mix', {
      got: JSON.stringify(piece),
      expected: `OPERATION=WEIGHT of ${[...new Set(known)].join(', ')}; or as all of it ${Object.keys(MIXES).join(', ')}`,
    });
  }
  const weight = Number(match[2]);
  if (weight > WEIGHT_MAX) {
    throw usageError(`weight of ${match[1]} out of range`, { got: match[2]!, expected: `at most ${WEIGHT_MAX}` });
  }
  return [match[1]!, weight];
}

import { inputError } from '../../events/index.js';
import { textLines } from './text_lines.js';

/**
 * What `p2m-NAME.info` says beside a dump. The lines that are read (others are notes of whoever took the dump):
 *
 *     sym xen_p2m_last_pfn addr=0xffffffff833191c0 value=0x40061
 *     dump pfns=[0,0x100000)
 *     pfn_of p2m_missing=0x1ebf3 p2m_identity=0x1ebf2 ...
 */
export interface DumpInfo {
  /** Pfns that the dump holds: `pfnStart <= pfn < pfnEnd`. */
  readonly pfnStart: number | undefined;
  readonly pfnEnd: number | undefined;
  /** Entries that the list has room for. */
  readonly xenP2mSize: number | undefined;
  readonly xenMaxP2mPfn: number | undefined;
  /** The last pfn that was populated or looked at, as the kernel keeps it for its tools. */
  readonly xenP2mLastPfn: number | undefined;
  readonly maxPfn: number | undefined;
  /** Virtual address of the list, 0x-hexadecimal. */
  readonly xenP2mAddr: string | undefined;
  /** Frames of the shared pages. */
  readonly sharedPfns: SharedPfns;
  /** Every symbol that the kernel has, with address and first 8 bytes as 0x-hexadecimal. */
  readonly symbols: ReadonlyMap<string, InfoSymbol>;
}

/** Frames of the four shared pages; `undefined` for one that the kernel or the file has not. */
export interface SharedPfns {
  readonly p2mMissing: number | undefined;
  readonly p2mIdentity: number | undefined;
  readonly p2mMissingPte: number | undefined;
  readonly p2mIdentityPte: number | undefined;
}

/** A kernel symbol, 0x-hexadecimal. */
export interface InfoSymbol {
  readonly address: string;
  readonly value: string;
}

const NUMBER = '0x[0-9a-fA-F]{1,16}|[0-9]{1,15}';
const SYMBOL_LINE = new RegExp(`^sym (\\S+) addr=(${NUMBER}) value=(${NUMBER})\\s*$`);
const DUMP_LINE = new RegExp(`^dump pfns=\\[(${NUMBER}),(${NUMBER})\\)\\s*$`);
const PFN_LINE = new RegExp(`^pfn_of((?: [a-z_0-9]+=(?:${NUMBER}))*)\\s*$`);

/**
 * Reads a `p2m-NAME.info`. What it does not say is `undefined`; a symbol at address 0 is one that the kernel has not.
 *
 * @throws {P2mError} a `sym`, `dump` or `pfn_of` line is not as above, or a number that should count pfns is 2^53 or more
 */
export function parseInfo(bytes: Uint8Array, file: string): DumpInfo {
  const symbols = new Map<string, InfoSymbol>();
  const pfnOf = new Map<string, number>();
  let range: [number, number] | undefined;
  const lines = textLines(bytes, file);
  for (const [index, text] of lines.entries()) {
    const kind = /^(sym|dump|pfn_of)\b/.exec(text)?.[1];
    if (kind === undefined) continue;
    const match = (kind === 'sym' ? SYMBOL_LINE : kind === 'dump' ? DUMP_LINE : PFN_LINE).exec(text);
    if (match === null) {
      const expected = { sym: 'sym NAME addr=0xN value=0xN', dump: 'dump pfns=[A,B)', pfn_of: 'pfn_of NAME=0xN ...' };
      throw inputError('bad line', { file, line: index + 1, text, expected: expected[kind as keyof typeof expected] });
    }
    const place = { file, line: index + 1, text };
    if (kind === 'sym') {
      if (Number(match[2]) !== 0) symbols.set(match[1]!, { address: match[2]!, value: match[3]! });
    } else if (kind === 'dump') {
      range = [countOf(match[1]!, place), countOf(match[2]!, place)];
      if (range[0] > range[1]) {
        throw inputError('bad range', {
          ...place,
          got: `[${match[1]!},${match[2]!})`,
          expected: 'the first pfn below the next',
        });
      }
    } else {
      for (const field of match[1]!.split(' ').filter(Boolean)) {
        const [name, value] = field.split('=');
        pfnOf.set(name!, countOf(value!, place));
      }
    }
  }
  const count = (name: string): number | undefined => {
    const symbol = symbols.get(name);
    if (symbol === undefined) return undefined;
    const index = lines.findIndex((text) => text.startsWith(`sym ${name} `));
    return countOf(symbol.value, { file, line: index + 1, text: lines[index]! });
  };
  return {
    pfnStart: range?.[0],
    pfnEnd: range?.[1],
    xenP2mSize: count('xen_p2m_size'),
    xenMaxP2mPfn: count('xen_max_p2m_pfn'),
    xenP2mLastPfn: count('xen_p2m_last_pfn'),
    maxPfn: count('max_pfn'),
    xenP2mAddr: symbols.get('xen_p2m_addr')?.value,
    sharedPfns: {
      p2mMissing: pfnOf.get('p2m_missing'),
      p2mIdentity: pfnOf.get('p2m_identity'),
      p2mMissingPte: pfnOf.get('p2m_missing_pte'),
      p2mIdentityPte: pfnOf.get('p2m_identity_pte'),
    },
    symbols,
  };
}

function countOf(text: string, place: { file: string; line: number; text: string }): number {
  const count = Number(text);
  if (Number.isSafeInteger(count)) return count;
  throw inputError('number too large', { ...place, got: text, expected: 'a number of pfns, below 2^53' });
}

import { inputError, type EntryCodec } from '../../events/index.js';
import type { Geometry, LeafRun, ListState } from '../../src/index.js';
import { readDump } from './dump.js';
import { gunzipIfNeeded } from './gunzip.js';
import { parseInfo, type DumpInfo } from './info.js';
import { parsePageKinds, type PageRun } from './page_kinds.js';

/** The files of a recording by name, as they are; undefined where there is none of that name. */
export type Files = (name: string) => Uint8Array | undefined;

/** A dump of the list with what stands beside it: `p2m-NAME.bin.gz`, `.pt.txt` and `.info`. */
export interface ListDump {
  readonly name: string;
  readonly file: string;
  /** Words of the list from pfn 0 on. */
  readonly entries: Int32Array;
  readonly kindsFile: string;
  /** Empty where nothing says them. */
  readonly kinds: readonly PageRun[];
  readonly info: DumpInfo | undefined;
}

/**
 * Reads dump NAME of a recording: its words, and beside them the page kinds and the .info, which a dump of the domain
 * builder's list has not.
 *
 * @throws {P2mError} a file is missing or damaged, or the dump is not what its .info says
 */
export function readListDump(files: Files, name: string, codec: EntryCodec): ListDump {
  const { bytes, found } = readFile(files, `p2m-${name}.bin`);
  const info = tryFile(files, `p2m-${name}.info`);
  const kindsName = `p2m-${name}.pt.txt`;
  const kinds = info === undefined ? tryFile(files, kindsName) : readFile(files, kindsName);
  return makeListDump(name, { bytes, file: found }, fileOf(kinds), fileOf(info), codec);
}

/** A file's content, and what messages call it. */
export interface NamedBytes {
  readonly bytes: Uint8Array;
  readonly file: string;
}

/**
 * A dump from its files, unzipped.
 *
 * @throws {P2mError} as `readListDump`
 */
export function makeListDump(
  name: string,
  { bytes, file }: NamedBytes,
  kinds: NamedBytes | undefined,
  infoFile: NamedBytes | undefined,
  codec: EntryCodec,
): ListDump {
  const entries = readDump(bytes, codec, file);
  if (entries.length === 0) throw inputError('empty dump', { file, got: '0 bytes', expected: 'an entry a pfn' });
  const info = infoFile === undefined ? undefined : parseInfo(infoFile.bytes, infoFile.file);
  const { pfnStart = 0, pfnEnd = entries.length } = info ?? {};
  if (pfnStart !== 0 || pfnEnd !== entries.length) {
    throw inputError('a dump that is not what its .info says', {
      file,
      got: `${entries.length} entries`,
      expected: `pfns [${pfnStart}, ${pfnEnd}), from 0 on`,
    });
  }
  return {
    name,
    file,
    entries,
    kindsFile: kinds?.file ?? '',
    kinds: kinds === undefined ? [] : parsePageKinds(kinds.bytes, kinds.file),
    info,
  };
}

function fileOf(file: { bytes: Uint8Array; found: string } | undefined): NamedBytes | undefined {
  return file === undefined ? undefined : { bytes: file.bytes, file: file.found };
}

/** A file of a recording, plain or with `.gz`, unzipped. @throws P2mError where there is neither. */
export function readFile(files: Files, name: string): { bytes: Uint8Array; found: string } {
  const file = tryFile(files, name);
  if (file === undefined) throw inputError('missing file', { file: name, expected: `${name} or ${name}.gz` });
  return file;
}

function tryFile(files: Files, name: string): { bytes: Uint8Array; found: string } | undefined {
  for (const found of [name, `${name}.gz`]) {
    const bytes = files(found);
    if (bytes !== undefined) return { bytes: gunzipIfNeeded(bytes, found), found };
  }
  return undefined;
}

/** The list that a dump shows, for a model to start from. @throws P2mError where the page kinds do not cover a list. */
export function listStateOf(dump: ListDump, geometry: Geometry): ListState {
  const size = dump.info?.xenP2mSize ?? dump.kinds.at(-1)?.pfnEnd ?? 0;
  const file = dump.kindsFile;
  if (size === 0 || size % geometry.pfnsPerMidPage !== 0) {
    throw inputError('not the size of a list', {
      file,
      got: `${size} pfns`,
      expected: `a multiple of ${geometry.pfnsPerMidPage}`,
    });
  }
  let pfn = 0;
  const leaves = dump.kinds.map((run): LeafRun => {
    if (run.pfnStart !== pfn) {
      throw inputError('a gap in the page kinds', {
        file,
        got: `pfn ${hex(run.pfnStart)}`,
        expected: `pfn ${hex(pfn)}`,
      });
    }
    pfn = run.pfnEnd;
    return leafRunOf(run, geometry, file);
  });
  if (pfn !== size) {
    throw inputError('the page kinds end elsewhere than the list', {
      file,
      got: `pfn ${hex(pfn)}`,
      expected: `pfn ${hex(size)}`,
    });
  }
  const topMfn = dump.info?.symbols.get('p2m_top_mfn')?.value;
  return {
    size,
    lastPfn: dump.info?.xenP2mLastPfn ?? size,
    leaves,
    entries: dump.entries.length > size ? dump.entries.subarray(0, size) : dump.entries,
    mfnTree: topMfn === undefined || BigInt(topMfn) !== 0n,
  };
}

function leafRunOf(run: PageRun, geometry: Geometry, file: string): LeafRun {
  const { pfnStart, pfnEnd, kind, ptePage } = run;
  const place = { file, got: `pfn [${hex(pfnStart)},${hex(pfnEnd)}) ${kind} pte_page=${ptePage ?? 'none'}` };
  if (pfnStart % geometry.perPage !== 0 || pfnEnd % geometry.perPage !== 0) {
    throw inputError('page kinds cut a leaf', { ...place, expected: `multiples of ${geometry.perPage} pfns` });
  }
  if (kind !== 'own' && kind !== 'missing' && kind !== 'identity') {
    throw inputError('a page of the list that no kernel has', { ...place, expected: 'own, missing or identity' });
  }
  if (ptePage === 'own_pte') return { pfnStart, pfnEnd, leaf: kind, ptPage: 'own' };
  const shared = ptePage === 'p2m_missing_pte' ? 'missing' : ptePage === 'p2m_identity_pte' ? 'identity' : undefined;
  if (
    shared === undefined ||
    shared !== kind ||
    pfnStart % geometry.pfnsPerPtePage !== 0 ||
    pfnEnd % geometry.pfnsPerPtePage !== 0
  ) {
    throw inputError('a PTE page that does not fit its leaves', {
      ...place,
      expected: 'own_pte, or the shared page of that kind for whole PTE pages',
    });
  }
  return { pfnStart, pfnEnd, leaf: kind, ptPage: shared };
}

function hex(pfn: number): string {
  return `0x${pfn.toString(16)}`;
}

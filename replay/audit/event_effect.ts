import { KINDS, type EventBatch } from '../../events/index.js';
import { changedWords, entryRuns, type EntryRun, type Memory } from '../../src/index.js';
import type { EventWords } from './event_words.js';
import { pfnEndOf, ReachedPfns } from './index/reached_pfns.js';
import type { Timeline } from './timeline.js';

/** What the word is that an event of the kind stores to, by id of the kind; others store to none, or to several. */
const STORED: Readonly<Record<number, 'entry' | 'pte' | 'page' | 'number'>> = {
  [KINDS.set_entry.id]: 'entry',
  [KINDS.set_pte.id]: 'pte',
  [KINDS.set_pmd.id]: 'pte',
  [KINDS.set_mid_mfn.id]: 'page',
  [KINDS.set_top_mfn.id]: 'page',
  [KINDS.set_top_mfn_p.id]: 'page',
  [KINDS.set_top.id]: 'page',
  [KINDS.set_mid.id]: 'page',
  [KINDS.set_global.id]: 'number',
  [KINDS.set_max_pfn.id]: 'number',
  [KINDS.set_generation.id]: 'number',
  [KINDS.set_m2p.id]: 'number',
  [KINDS.set_override.id]: 'number',
};

/** What an event did, as the memory has it at the two moments around it. */
export interface EventEffect {
  /** The one word that it stores to; undefined where it stores to none, to several, or lost a compare-and-exchange. */
  readonly word: { readonly before: number; readonly after: number } | undefined;
  /** Pfns whose look-ups go through what it stores to, ascending; what they answer need not have changed. */
  readonly lookUps: readonly LookUpEffect[];
}

/** What look-ups of [pfnStart, pfnEnd) answered before the event and after it. */
export interface LookUpEffect {
  readonly pfnStart: number;
  readonly pfnEnd: number;
  readonly before: readonly EntryRun[];
  readonly after: readonly EntryRun[];
}

/**
 * The effect of event `seq`; the timeline stands behind it afterwards. 0 <= seq < events.
 * @throws {P2mError} as `Timeline.goTo`
 */
export function eventEffect(timeline: Timeline, seq: number): EventEffect {
  const { log, memory, form } = timeline;
  timeline.goTo(seq);
  const block = log.blockOf(seq);
  const [batch, i] = [log.read(block), seq - log.seqOf(block)];
  const address = addressOf(memory, batch, i);
  const spans = new ReachedPfns(memory, pfnEndOf(memory, form.structure === 'tree')).of(batch, i);
  const read = () => ({
    word: address === undefined ? 0 : memory.words[address]!,
    runs: spans.map(({ pfnStart, pfnEnd }) => entryRuns(memory, pfnStart, pfnEnd)),
  });
  const before = read();
  timeline.goTo(seq + 1);
  const after = read();
  return {
    word: address === undefined ? undefined : { before: before.word, after: after.word },
    lookUps: spans.map((span, n) => ({ ...span, before: before.runs[n]!, after: after.runs[n]! })),
  };
}

/** Where the one word stands that the event is about to store to. */
function addressOf(memory: Memory, batch: EventBatch, i: number): number | undefined {
  let address: number | undefined;
  if (STORED[batch.kind[i]!] !== undefined) changedWords(memory, batch, i, { change: (at) => (address = at) });
  return address;
}

/** The word that an event of the kind stores to, in the words of the field. */
export function storedText(words: EventWords, kind: number, word: number): string {
  switch (STORED[kind]) {
    case 'entry':
      return words.entry(word);
    case 'pte':
      return words.pte(word);
    case 'page':
      return words.page(word);
    default:
      return String(word);
  }
}

/** What a look-up answered, seen beside what its pfn held while it ran. */
export const LookUpOutcome = {
  cut: 0,
  died: 1,
  private: 2,
  missing: 3,
  identity: 4,
  beyond: 5,
  stored: 6,
  touched: 7,
  never: 8,
} as const;

/** What happened in an operation that may change the list, as bits; they stand in the order of its rows. */
export const Happened = {
  /** Its own PT page was linked (P3.6), or lost the race and was freed (P3.8). In the old tree: the mid page. */
  pmdLinked: 1 << 0,
  pmdLost: 1 << 1,
  /** Its own mid page of the tools' tree was linked (A4.4), or lost the compare-and-exchange and was freed (A4.6). */
  midLinked: 1 << 2,
  midLost: 1 << 3,
  /** Its own leaf was linked (A6.6), or lost the race and was freed (A6.10). */
  leafLinked: 1 << 4,
  leafLost: 1 << 5,
  /** It was called while the leaf was shared, and stored without a leaf of its own: another CPU's was there. */
  leafFound: 1 << 6,
  /** An allocation failed (A6.1, A4.3, P1). */
  noMemory: 1 << 7,
  /** It stored an entry. */
  stored: 1 << 8,
  /** A grant slot failed alone. */
  slotFailed: 1 << 9,
  /** The kernel printed a warning. */
  warned: 1 << 10,
} as const;

/** How an operation that may change the list ended. */
export const End = {
  cut: 0,
  bug: 1,
  fault: 2,
  isFalse: 3,
  isTrue: 4,
  /** It answered true, stored nothing, and its pfn held what it was to store at some moment while it ran. */
  isTrueAlready: 5,
  /** As that, and its pfn never held it. */
  isTrueInVain: 6,
  nothing: 7,
  /** 0, or a negative errno. */
  zero: 8,
  errno: 9,
} as const;

/** How an outcome counts, as JCStress has it: what the code promises, what only a race gives, what must never be. */
export type Expectation = 'ACCEPTABLE' | 'INTERESTING' | 'FORBIDDEN';

/** What an outcome means. */
export interface OutcomeMeaning {
  readonly result: string;
  readonly expect: Expectation;
  /** With the labels of the spec. */
  readonly description: string;
}

const LOOK_UP_MEANINGS: Readonly<Record<number, OutcomeMeaning>> = {
  [LookUpOutcome.cut]: { result: 'no answer', expect: 'INTERESTING', description: 'its thread ended in it' },
  [LookUpOutcome.died]: {
    result: 'BUG',
    expect: 'FORBIDDEN',
    description: 'a kernel assertion or a page fault: 5.1.2 or 5.2.2 found nothing mapped',
  },
  [LookUpOutcome.private]: {
    result: 'the entry',
    expect: 'ACCEPTABLE',
    description: 'of a private leaf, as it stood all the while (5.1.2)',
  },
  [LookUpOutcome.missing]: {
    result: 'INVALID',
    expect: 'ACCEPTABLE',
    description: 'the leaf is p2m_missing (5.1.4, 5.2.5)',
  },
  [LookUpOutcome.identity]: {
    result: 'identity',
    expect: 'ACCEPTABLE',
    description: 'the leaf is p2m_identity, known by its page (5.2.4)',
  },
  [LookUpOutcome.beyond]: { result: 'identity', expect: 'ACCEPTABLE', description: 'above the list (5.1.1)' },
  [LookUpOutcome.stored]: {
    result: 'one of several',
    expect: 'INTERESTING',
    description: 'the pfn was set while the look-up ran: an entry of before, between or after',
  },
  [LookUpOutcome.touched]: {
    result: 'as shared',
    expect: 'INTERESTING',
    description: 'a first touch linked a private leaf meanwhile (A6.6): what the shared one stood for',
  },
  [LookUpOutcome.never]: {
    result: 'never there',
    expect: 'FORBIDDEN',
    description: 'the pfn held no such value at any moment of the look-up',
  },
};

/** What a `LookUpOutcome` means. */
export function lookUpMeaning(outcome: number): OutcomeMeaning {
  return LOOK_UP_MEANINGS[outcome]!;
}

interface Piece {
  readonly bit: number;
  readonly result: string;
  readonly linear: string;
  readonly tree: string;
}

/** Only a race gives these. */
const RACES =
  Happened.pmdLost |
  Happened.midLost |
  Happened.leafLost |
  Happened.leafFound |
  Happened.noMemory |
  Happened.slotFailed;

const PIECES: readonly Piece[] = [
  { bit: Happened.pmdLinked, result: 'PMD', linear: 'links a PT page (P3.6)', tree: 'links a mid page (A-mid)' },
  {
    bit: Happened.pmdLost,
    result: 'PMD lost',
    linear: 'loses the PMD race, its PT page is freed (P3.8)',
    tree: 'loses the race for a mid page, its own is freed (A-mid)',
  },
  {
    bit: Happened.midLinked,
    result: 'mid',
    linear: 'wins p2m_top_mfn (A4.4)',
    tree: 'wins p2m_top_mfn (A4.4)',
  },
  {
    bit: Happened.midLost,
    result: 'mid lost',
    linear: 'loses the mid_mfn race, its mid page is freed (A4.6)',
    tree: 'loses the mid_mfn race, its mid page is freed (A4.6)',
  },
  { bit: Happened.leafLinked, result: 'leaf', linear: 'links a new leaf (A6.6)', tree: 'links a new leaf (A-leaf)' },
  {
    bit: Happened.leafLost,
    result: 'leaf lost',
    linear: 'loses the leaf race, its leaf is freed (A6.10)',
    tree: 'loses the leaf race, its leaf is freed (A-leaf)',
  },
  {
    bit: Happened.leafFound,
    result: 'leaf found',
    linear: 'finds the leaf that another CPU has just linked (A5)',
    tree: 'finds the leaf that another CPU has just linked (A-leaf)',
  },
  { bit: Happened.noMemory, result: 'no memory', linear: 'an allocation fails', tree: 'an allocation fails' },
  {
    bit: Happened.slotFailed,
    result: 'slot failed',
    linear: 'a slot fails and is unmapped alone (7.1)',
    tree: 'a slot fails',
  },
  { bit: Happened.warned, result: 'warned', linear: 'the kernel warns', tree: 'the kernel warns' },
  { bit: Happened.stored, result: 'stored', linear: 'stores (S2)', tree: 'stores (S5)' },
];

interface Ending {
  readonly result: string;
  readonly expect: Expectation;
  readonly says: string;
}

const ENDINGS: Readonly<Record<number, Ending>> = {
  [End.cut]: { result: 'no answer', expect: 'INTERESTING', says: 'its thread ended in it' },
  [End.bug]: { result: 'BUG', expect: 'FORBIDDEN', says: 'a kernel assertion' },
  [End.fault]: { result: 'fault', expect: 'FORBIDDEN', says: 'a page fault that nothing fixes up' },
  [End.isFalse]: { result: 'false', expect: 'FORBIDDEN', says: 'false for no reason' },
  [End.isTrue]: { result: 'true', expect: 'ACCEPTABLE', says: '' },
  [End.isTrueAlready]: {
    result: 'true',
    expect: 'ACCEPTABLE',
    says: 'nothing to store: the leaf stands for the value (S4, S5, or S1 above the list)',
  },
  [End.isTrueInVain]: { result: 'true', expect: 'FORBIDDEN', says: 'and nothing was stored: without effect' },
  [End.nothing]: { result: 'done', expect: 'ACCEPTABLE', says: '' },
  [End.zero]: { result: '0', expect: 'ACCEPTABLE', says: '' },
  [End.errno]: { result: 'errno', expect: 'INTERESTING', says: 'an error' },
};

/**
 * What an operation that may change the list came to.
 *
 * @param end       `End`
 * @param happened  bits of `Happened`
 * @param isFalseOk false has a reason that leaves no event: the leaf is shared and nobody allocates, or the pfn is out of range
 */
export function updateMeaning(end: number, happened: number, isTree: boolean, isFalseOk: boolean): OutcomeMeaning {
  const pieces = PIECES.filter(({ bit }) => (happened & bit) !== 0);
  const ending = ENDINGS[end]!;
  const hasReason = (happened & Happened.noMemory) !== 0 || isFalseOk;
  const isExcused = end === End.isFalse && hasReason && (happened & Happened.stored) === 0;
  const says = isExcused ? (isFalseOk ? 'false: shared, or out of range (S4, S6, S1)' : 'false') : ending.says;
  const told = [...pieces.map((piece) => (isTree ? piece.tree : piece.linear)), ...(says === '' ? [] : [says])];
  const isRace = isExcused || (happened & RACES) !== 0;
  return {
    result: [ending.result, ...pieces.map(({ result }) => result)].join(', '),
    expect: ending.expect === 'FORBIDDEN' && !isExcused ? 'FORBIDDEN' : isRace ? 'INTERESTING' : ending.expect,
    description: told.length === 0 ? 'nothing to change' : told.join('; '),
  };
}

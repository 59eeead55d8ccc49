import type { ThreadFate } from '../node/index.js';
import { isSameDefect, type FindingExplanation, type OutcomeRow, type RoundReport } from '../replay/index.js';
import type { PlayedRound } from './stress_round.js';

/** One row of the table of outcomes, over all rounds. */
export interface TalliedOutcome extends OutcomeRow {
  /** The first round that had it. */
  readonly round: number;
}

/** A finding, and the round that had it. */
export interface TalliedFinding extends FindingExplanation {
  readonly round: number;
}

/** What the rounds of a run have come to so far. */
export class StressTally {
  rounds = 0;
  operations = 0;
  events = 0;
  /** How long threads ran. */
  ms = 0;
  /** Over all rounds: how threads ended. */
  readonly ends = new Map<ThreadFate['kind'], number>();
  /** Pages that operations took, and what came of them. */
  readonly pages = { taken: 0, linked: 0, freed: 0, held: 0, lost: 0 };
  readonly findings: TalliedFinding[] = [];
  /** By check: rounds that broke it. */
  readonly broken = new Map<string, number>();
  /** By defect of the gallery, or mutant: rounds that showed it. */
  readonly known = new Map<string, number>();
  readonly notes: string[] = [];
  isOver = false;
  #undecided = 0;
  readonly #outcomes = new Map<string, TalliedOutcome>();

  /** `unknown`: nothing is broken, and something could not be decided. */
  get verdict(): 'ok' | 'violated' | 'unknown' {
    if (this.broken.size > 0) return 'violated';
    return this.#undecided > 0 || this.rounds === 0 ? 'unknown' : 'ok';
  }

  /** Outcomes, those of an operation beside each other, the commonest first. */
  get outcomes(): TalliedOutcome[] {
    const all = [...this.#outcomes.values()];
    const total = (operation: string): number =>
      all.reduce((sum, row) => sum + (row.operation === operation ? row.samples : 0), 0);
    return all
      .map((row) => ({ ...row, share: row.samples / total(row.operation) }))
      .sort((a, b) => (a.operation === b.operation ? b.samples - a.samples : a.operation < b.operation ? -1 : 1));
  }

  /** Whether a round before has shown the same. */
  isTold(explanation: FindingExplanation): boolean {
    return this.findings.some((told) => isSameDefect(told, explanation));
  }

  /** Takes a round; `explained` are those of its findings that were looked into. */
  add(
    round: number,
    { end }: PlayedRound,
    report: RoundReport,
    explained: readonly FindingExplanation[],
    keepGoing: boolean,
  ): void {
    this.rounds++;
    this.operations += end.operations;
    this.events += end.events;
    this.ms += end.ms;
    for (const { kind } of end.threads) this.ends.set(kind, (this.ends.get(kind) ?? 0) + 1);
    for (const page of report.accounts?.pages ?? []) {
      for (const key of ['taken', 'linked', 'freed', 'held', 'lost'] as const) this.pages[key] += page[key];
    }
    for (const row of report.outcomes) this.#addOutcome(round, row);
    for (const check of new Set(report.findings.map((finding) => finding.check))) {
      this.broken.set(check, (this.broken.get(check) ?? 0) + 1);
    }
    for (const name of new Set(explained.flatMap(({ known }) => known.map((one) => one.name)))) {
      this.known.set(name, (this.known.get(name) ?? 0) + 1);
    }
    for (const one of explained) if (!this.isTold(one)) this.findings.push({ ...one, round });
    this.#undecided += report.undecided.length;
    for (const text of report.undecided) this.notes.push(`round ${round}: not decided: ${text}`);
    for (const fate of end.threads) this.#noteEnd(round, fate);
    if (end.logFailure !== undefined) this.#noteLogFailure(round, end.logFailure, end.events);
    const isNew = explained.some(({ known, follows }) => known.length === 0 && follows === undefined);
    if (report.findings.length > 0 && (!keepGoing || isNew)) this.isOver = true;
  }

  #addOutcome(round: number, row: OutcomeRow): void {
    const key = `${row.operation} ${row.result}`;
    const before = this.#outcomes.get(key);
    this.#outcomes.set(
      key,
      before === undefined ? { ...row, round } : { ...before, samples: before.samples + row.samples },
    );
  }

  #noteEnd(round: number, fate: ThreadFate): void {
    if (fate.kind !== 'stuck' && fate.kind !== 'failed') return;
    this.notes.push(`round ${round}: a thread ended early: ${fate.what}`);
    if (fate.kind === 'failed') this.#undecided++;
  }

  /** Events that were not acknowledged are lost with the log; what it has was judged. */
  #noteLogFailure(round: number, failure: unknown, events: number): void {
    const why = failure instanceof Error ? failure.message : JSON.stringify(failure);
    this.notes.push(`round ${round}: the log took ${events} events and then no more: ${why}`);
    this.#undecided++;
    this.isOver = true;
  }
}

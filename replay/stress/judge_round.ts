import { Global, WARNINGS, type StoredLog } from '../../events/index.js';
import type { Memory } from '../../src/index.js';
import { INVARIANT_NAMES, INVARIANTS, type InvariantName } from '../audit/invariants/invariants.js';
import { scanForAll, type ScanResult } from '../audit/invariant_scan.js';
import { stateDigest } from '../events/state_digest.js';
import {
  checkLogRegisters,
  NO_RETURN,
  type CheckLogOptions,
  type LogRegisterReport,
} from '../history/log_registers.js';
import type { CutOperation } from './open_calls.js';
import type { OutcomeRow } from './outcome_table.js';
import type { RoundAccounts } from './page_accounting.js';
import type { RoundCheck, RoundFinding } from './round_finding.js';
import { firstDifferentPfn, playRoundLog, type PlayedLog } from './round_pass.js';

/** What is known of a round beside its log. */
export interface JudgeRoundOptions {
  /** What the threads left: the log must lead there. */
  readonly memory?: Memory;
  /** CPUs whose threads were killed: their last operations have no return, and nobody gives back what they hold. */
  readonly killed?: readonly number[];
  /** Bounds of the search for an order of what look-ups and sets returned. */
  readonly registers?: CheckLogOptions;
}

/** What a finished round's log says. */
export interface RoundReport {
  /** `unknown`: nothing is broken, and something could not be decided. */
  readonly verdict: 'ok' | 'violated' | 'unknown';
  readonly kernel: string;
  readonly geometry: string;
  readonly events: number;
  /** What is broken, as it began; first what casts doubt on the log itself. */
  readonly findings: readonly RoundFinding[];
  /** What was not decided, and why. */
  readonly undecided: readonly string[];
  /** What no verdict is asked of: operations of killed threads, with what they left in the middle. */
  readonly excused: readonly string[];
  /** Undefined where the log does not fit a memory: then nothing more can be said of it. */
  readonly accounts: RoundAccounts | undefined;
  readonly outcomes: readonly OutcomeRow[];
  readonly registers: LogRegisterReport | undefined;
  readonly invariants: readonly { readonly name: InvariantName; readonly verdict: ScanResult['verdict'] }[];
}

/**
 * Judges a round of operations that really ran at once, by its log: that its order is the order of memory, and leads to what the
 * threads left; that the answers of look-ups and sets are linearizable, pfn by pfn; that the invariants of the list held; that
 * every event, call and page is accounted for. All findings are told, of each invariant the first breach.
 *
 * @throws {P2mError} the log is damaged, or no memory can be built by its header
 */
export function judgeRound(log: StoredLog, options: JudgeRoundOptions = {}): RoundReport {
  return new RoundJudge(log, options).report();
}

class RoundJudge {
  readonly #log: StoredLog;
  readonly #options: JudgeRoundOptions;
  readonly #findings: RoundFinding[] = [];
  readonly #undecided: string[] = [];
  readonly #excused: string[] = [];

  constructor(log: StoredLog, options: JudgeRoundOptions) {
    this.#log = log;
    this.#options = options;
  }

  report(): RoundReport {
    const { memory } = this.#options;
    const played = playRoundLog(this.#log, memory?.kind ?? 'paged');
    if ('says' in played) {
      this.#find('log-order', played.says, played.seq, []);
      return this.#result(undefined, undefined, []);
    }
    this.#compareEnds(played);
    const registers = this.#registers();
    const invariants = this.#invariants(played.accounts);
    this.#warnings(played);
    this.#outcomes(played.outcomes);
    this.#accounts(played.accounts);
    this.#ends(played);
    return this.#result(played, registers, invariants);
  }

  #result(
    played: PlayedLog | undefined,
    registers: LogRegisterReport | undefined,
    invariants: RoundReport['invariants'],
  ): RoundReport {
    const { header, events } = this.#log;
    const isViolated = this.#findings.length > 0;
    return {
      verdict: isViolated ? 'violated' : this.#undecided.length > 0 ? 'unknown' : 'ok',
      kernel: header.kernel,
      geometry: header.geometry,
      events,
      findings: this.#findings,
      undecided: this.#undecided,
      excused: this.#excused,
      accounts: played?.accounts,
      outcomes: played?.outcomes ?? [],
      registers,
      invariants,
    };
  }

  #compareEnds({ memory, digest }: PlayedLog): void {
    const left = this.#options.memory;
    if (left === undefined) return;
    const found = stateDigest(left);
    if (found.list === digest.list && found.rest === digest.rest) return;
    const pfn = firstDifferentPfn(memory, left, memory.words[Global.xen_p2m_size]!);
    const where = pfn === undefined ? 'no look-up differs, but what stands beside the list' : `first at ${hex(pfn)}`;
    const says = `the log leads to ${digest.list}/${digest.rest}, the threads left ${found.list}/${found.rest}: ${where}`;
    this.#find('end-differs', says, -1, []);
  }

  #registers(): LogRegisterReport {
    const report = checkLogRegisters(this.#log, this.#options.registers);
    for (const { pfn, guilty } of report.violations) {
      const last = guilty.reduce((end, operation) => Math.max(end, operation.end), guilty[0]?.call ?? -1);
      const operations = guilty.map(({ op }) => op).filter((op) => op > 0);
      const told = guilty.map(({ op, call, end }) => `${op} (${call}..${end === NO_RETURN ? '' : end})`).join(', ');
      const says = `what the operations on ${hex(pfn)} answered fits no order of them: operations ${told}`;
      this.#findings.push({
        check: 'not-linearizable',
        says,
        seq: guilty[0]?.call ?? -1,
        decidedAt: last,
        operations,
      });
    }
    const { unknown } = report;
    if (unknown.length > 0) {
      const shown = unknown.slice(0, 3).map(hex).join(', ');
      this.#undecided.push(`${unknown.length} pfns have too many orders to try: ${shown}`);
    }
    return report;
  }

  #invariants(accounts: RoundAccounts): RoundReport['invariants'] {
    const results = scanForAll(
      this.#log,
      INVARIANT_NAMES.map((name) => INVARIANTS[name]),
    );
    return INVARIANT_NAMES.map((name, i) => {
      const result = results[i]!;
      if (result.verdict === 'broken') {
        const op = this.#operationAt(result.seq);
        this.#find(name, result.says, result.seq, op === 0 ? [] : [op], result.decidedAt);
      } else if (result.verdict === 'unknown') {
        const list = accounts.cut.every((cut) => this.#isKilled(cut)) ? this.#excused : this.#undecided;
        list.push(`${name}: ${result.why}`);
      }
      return { name, verdict: result.verdict };
    });
  }

  #warnings({ warnings }: PlayedLog): void {
    // A race for the identity leaf of the old tree is one that the kernel reckons with, and warns of.
    const told = warnings.find(({ warning }) => WARNINGS[warning] !== 'identity-race');
    if (told === undefined) return;
    const says = `CPU ${told.cpu} warns at ${hex(told.pfn)}: ${WARNINGS[told.warning]}`;
    this.#find('warning', says, told.seq, [told.op]);
  }

  /** What an invariant has found already is not told again. */
  #outcomes(rows: readonly OutcomeRow[]): void {
    for (const { operation, result, description, expect, samples, seq, op } of rows) {
      if (expect !== 'FORBIDDEN') continue;
      const isKnown = (result.startsWith('BUG') || result.startsWith('fault')) && this.#has('BUG_ON');
      if (isKnown || (result.startsWith('false') && this.#has('false-set'))) continue;
      const says = `${samples} times: ${operation} -> ${result}: ${description}; first operation ${op}`;
      this.#find('false-outcome', says, seq, [op]);
    }
  }

  #accounts({ wrong, lost }: RoundAccounts): void {
    for (const says of wrong) {
      const isLeak = lost.length > 0 && says.includes("nobody's");
      // The invariant of leaks says which page, and since when.
      if (isLeak && this.#has('leak')) continue;
      const where = isLeak ? `, the first ${lost[0]!.role} ${lost[0]!.page} of operation ${lost[0]!.op}` : '';
      this.#find('accounts', says + where, -1, isLeak ? [lost[0]!.op] : []);
    }
  }

  /** Operations in the middle for good, and the lock. */
  #ends({ accounts, memory, lastLock }: PlayedLog): void {
    const { cut } = accounts;
    const owner = memory.words[Global.p2m_update_lock]! - 1;
    const holder = cut.find(({ cpu }) => cpu === owner);
    const isDead = holder !== undefined && (holder.end !== 'none' || this.#isKilled(holder));
    // That one died of an assertion or a fault is told.
    const keeper = owner >= 0 && !isDead ? [lastLock.op] : [];
    for (const one of cut) if (one.end === 'none') this.#cut(one, isDead && one !== holder ? owner : -1, keeper);
    if (owner < 0) return;
    const says = `p2m_update_lock is held by CPU ${owner}`;
    if (holder === undefined) {
      this.#find('lock-kept', `${says}, which is in no operation`, lastLock.seq, keeper, this.#log.events - 1);
    } else if (isDead) {
      this.#excused.push(`${says}, which died in operation ${holder.op}`);
    }
  }

  /**
   * @param deadOwner the dead CPU that holds p2m_update_lock, -1 for none
   * @param keeper    the operation that took it and keeps it
   */
  #cut(cut: CutOperation, deadOwner: number, keeper: readonly number[]): void {
    const says = `operation ${cut.op}, ${cut.operation} of ${hex(cut.pfn)} on CPU ${cut.cpu}, never returned`;
    if (this.#isKilled(cut)) this.#excused.push(`${says}: its thread was killed`);
    else if (deadOwner >= 0) this.#excused.push(`${says}: CPU ${deadOwner}, a dead one, holds p2m_update_lock`);
    else this.#find('no-return', says, cut.call, [...keeper, cut.op], this.#log.events - 1);
  }

  #isKilled({ cpu, end }: CutOperation): boolean {
    return end === 'none' && (this.#options.killed ?? []).includes(cpu);
  }

  #operationAt(seq: number): number {
    const block = this.#log.blockOf(seq);
    return this.#log.read(block).op[seq - this.#log.seqOf(block)]!;
  }

  #has(check: RoundCheck): boolean {
    return this.#findings.some((finding) => finding.check === check);
  }

  #find(check: RoundCheck, says: string, seq: number, operations: readonly number[], decidedAt = seq): void {
    this.#findings.push({ check, says, seq, decidedAt, operations });
  }
}

function hex(pfn: number): string {
  return `0x${pfn.toString(16)}`;
}

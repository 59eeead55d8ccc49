import { Role, type StoredLog } from '../events/index.js';
import { EventWords, NO_RETURN, type GuiltyOperation, type LogRegisterReport } from '../replay/index.js';
import { colors } from './colors.js';
import { counted } from './counted.js';

/** Violated pfns, operations of one, and undecided pfns that people are shown; --json has more. */
const VIOLATIONS_SHOWN = 10;
const OPERATIONS_SHOWN = 20;
const UNKNOWN_SHOWN = 20;

/** The report of a checked log as people read it; the same log gives the same lines. */
export function registerText(log: StoredLog, report: LogRegisterReport): string[] {
  const { operations, pfns, violations, violatedPfns, unknown } = report;
  const lines = [`${log.name}: ${counted(operations, 'operation')} on ${counted(pfns, 'pfn')}`];
  for (const { pfn, initial, guilty } of violations.slice(0, VIOLATIONS_SHOWN)) {
    const held = `it held ${log.codec.format(initial)} at first`;
    lines.push(`pfn ${hex(pfn)}: ${colors.red('error')}: no order explains what its operations returned; ${held}`);
    lines.push(...guilty.slice(0, OPERATIONS_SHOWN).map((operation) => `  ${operationText(log, operation)}`));
    if (guilty.length > OPERATIONS_SHOWN) lines.push(`  ... and ${guilty.length - OPERATIONS_SHOWN} more`);
  }
  const more = violatedPfns - Math.min(violations.length, VIOLATIONS_SHOWN);
  if (more > 0) lines.push(`... and ${more} more violated pfns`);
  if (unknown.length > 0) {
    const others = unknown.length > UNKNOWN_SHOWN ? `, and ${unknown.length - UNKNOWN_SHOWN} more` : '';
    lines.push(`unknown pfns: ${unknown.slice(0, UNKNOWN_SHOWN).map(hex).join(', ')}${others}`);
  }
  lines.push(`verdict: ${report.verdict}`);
  return lines;
}

/** `events 1080..1086  CPU 0  set_phys_to_machine(0x402, m:77)  true`. */
function operationText(log: StoredLog, { call, end }: GuiltyOperation): string {
  const words = new EventWords(log.codec, () => Role.none);
  const at = (seq: number): { readonly text: string; readonly cpu: number } => {
    const block = log.blockOf(seq);
    const row = seq - log.seqOf(block);
    const batch = log.read(block);
    return { text: words.of(batch, row), cpu: batch.cpu[row]! };
  };
  const begun = at(call);
  const returned = end === NO_RETURN ? 'never returned' : end === call ? '' : at(end).text;
  const events = `events ${call}..${end === NO_RETURN ? '' : end}`;
  return `${events}  CPU ${begun.cpu}  ${begun.text}  ${returned}`.trimEnd();
}

function hex(pfn: number): string {
  return `0x${pfn.toString(16)}`;
}

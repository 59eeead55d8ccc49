/**
 * Everything that can go wrong, as one class tree.
 *
 * `P2mError` is bad input: the caller can mend it, so it says what was got, what was expected, where, and carries the
 * exit code of the command line. `AssertionError` is a bug of ours: always on, never caught to go on.
 */

/** Exit codes of the command line (design 9). */
export const ExitCode = {
  ok: 0,
  violated: 1,
  usage: 2,
  badInput: 3,
  noVerdict: 4,
  interrupted: 130,
} as const;

export type ErrorCode = 'usage' | 'bad-input' | 'capacity' | 'unreadable' | 'stuck';

/** Where an input went wrong; `line` and `column` are 1-based, `byte` is 0-based. */
export interface Place {
  readonly file?: string;
  readonly line?: number;
  readonly column?: number;
  readonly byte?: number;
  readonly text?: string;
}

/** Where, what was got, what was expected, and what to do about it. */
export interface Complaint extends Place {
  readonly got?: string;
  readonly expected?: string;
  readonly hint?: string;
}

/** Bad input of a user. `code` is stable; the facts are fields; the message reads like a compiler's. */
export class P2mError extends Error {
  override readonly name = 'P2mError';
  readonly code: ErrorCode;
  readonly complaint: Complaint;

  constructor(code: ErrorCode, what: string, complaint: Complaint = {}) {
    super(render(what, complaint));
    this.code = code;
    this.complaint = complaint;
  }

  get exitCode(): number {
    if (this.code === 'stuck') return ExitCode.noVerdict;
    return this.code === 'usage' ? ExitCode.usage : ExitCode.badInput;
  }
}

/** Bad value on a command line or in a call of ours: exit 2. */
export function usageError(what: string, complaint: Complaint = {}): P2mError {
  return new P2mError('usage', what, complaint);
}

/** Bad content of a file: exit 3. */
export function inputError(what: string, complaint: Complaint = {}): P2mError {
  return new P2mError('bad-input', what, complaint);
}

/** A bug of ours. */
export class AssertionError extends Error {
  override readonly name = 'AssertionError';
}

/** Fails when our own reasoning does: use it for what no input can cause. */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new AssertionError(message);
}

const TEXT_MAX = 160;

function render(what: string, c: Complaint): string {
  const facts: string[] = [];
  if (c.got !== undefined) facts.push(`got ${clip(c.got)}`);
  if (c.expected !== undefined) facts.push(`want ${c.expected}`);
  const where = place(c);
  let message = `${where}${what}${facts.length > 0 ? `: ${facts.join(', ')}` : ''}`;
  if (c.hint !== undefined) message += ` (${c.hint})`;
  if (c.text !== undefined) {
    message += `\n  ${clip(c.text)}`;
    if (c.column !== undefined && c.column <= TEXT_MAX) message += `\n  ${' '.repeat(c.column - 1)}^`;
  }
  return message;
}

function place(c: Place): string {
  const parts: string[] = [];
  if (c.file !== undefined) parts.push(c.file);
  if (c.line !== undefined) parts.push(String(c.line));
  if (c.column !== undefined) parts.push(String(c.column));
  if (c.byte !== undefined) parts.push(`byte ${c.byte}`);
  return parts.length > 0 ? `${parts.join(':')}: ` : '';
}

function clip(text: string): string {
  return text.length > TEXT_MAX ? `${text.slice(0, TEXT_MAX)}...` : text;
}

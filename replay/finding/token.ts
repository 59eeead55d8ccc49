import { usageError } from '../../events/index.js';
import type { Schedule } from '../explore/schedule.js';
import { parseRuns, printRuns } from './run_length.js';

/** Of the format, and of what the steps of a schedule are: schedules of another version mean something else. */
const VERSION = '1';

/** What a token says: `p1-5f3a9c2e-A12B3A4-91c0d2e3f4a5b6c7-3b7e`, the last field being a check of the others. */
export interface Token {
  /** Hash of what was explored, 8 hex digits: `scenarioHash`, `contentHash`. */
  readonly scenario: string;
  readonly schedule: Schedule;
  /** Hash of the state at its end, 16 hex digits. */
  readonly end: string;
}

/** The text of a token, that `parseToken` reads back. */
export function tokenText({ scenario, schedule, end }: Token): string {
  const body = `p${VERSION}-${scenario}-${printRuns(schedule)}-${end}`;
  return `${body}-${checkOf(body)}`;
}

/** A field of a token: what may stand in it, and how many characters, where that is known. */
interface Field {
  readonly name: string;
  readonly pattern: RegExp;
  readonly length?: number;
  readonly wants: string;
}

const FIELDS: readonly Field[] = [
  { name: 'hash of the scenario', pattern: /[0-9a-f]{0,8}/y, length: 8, wants: '8 hex digits' },
  { name: 'schedule', pattern: /([A-Z]\d*)*/y, wants: 'letters with counts, as in A12BA3' },
  { name: 'hash of the end', pattern: /[0-9a-f]{0,16}/y, length: 16, wants: '16 hex digits' },
  { name: 'check', pattern: /[0-9a-f]{0,4}/y, length: 4, wants: '4 hex digits' },
];

/**
 * Reads a token.
 *
 * @throws {P2mError} code `usage`: it is none, of another version, cut (after which character), damaged (at which), or one
 *   of its characters is not what it was: a single wrong one is always noticed, more by all but one chance in 65,536
 */
export function parseToken(text: string): Token {
  const fields: string[] = [];
  let at = readVersion(text);
  for (const field of FIELDS) {
    if (text[at] !== '-') throw at === text.length ? cut(text, field) : damaged(text, at, 'a dash');
    fields.push(readField(text, at + 1, field));
    at += 1 + fields.at(-1)!.length;
  }
  if (at !== text.length) throw damaged(text, at, 'the end');
  const [scenario, runs, end, check] = fields as [string, string, string, string];
  const expected = checkOf(text.slice(0, text.lastIndexOf('-')));
  if (check !== expected) {
    throw usageError('a character of the token is wrong', { got: `check ${check}`, expected: `check ${expected}` });
  }
  return { scenario, schedule: parseRuns(runs), end };
}

/** Gives the place behind the version. */
function readVersion(text: string): number {
  const [version, number] = /^p(\d*)/.exec(text) ?? [''];
  if (number === undefined || (text.length > version.length && text[version.length] !== '-')) {
    throw usageError('not a token', {
      got: JSON.stringify(text),
      expected: `p${VERSION}-..., as a report ends with it`,
    });
  }
  if (number !== VERSION && text.length > version.length) {
    throw usageError('the token is of another version', { got: version, expected: `p${VERSION}` });
  }
  return version.length;
}

function readField(text: string, at: number, field: Field): string {
  field.pattern.lastIndex = at;
  const found = field.pattern.exec(text)![0];
  if (field.length === undefined || found.length === field.length) return found;
  const place = at + found.length;
  throw place === text.length ? cut(text, field) : damaged(text, place, `${field.name}, ${field.wants}`);
}

function cut(text: string, { name, wants }: Field): Error {
  return usageError('the token is cut', {
    got: `its end after character ${text.length}`,
    expected: `${name}, ${wants}`,
  });
}

function damaged(text: string, at: number, expected: string): Error {
  return usageError(`the token is damaged at character ${at + 1}`, { got: JSON.stringify(text[at]), expected });
}

/** CRC-16/CCITT: no single character can change unseen. */
function checkOf(text: string): string {
  let crc = 0xffff;
  for (let i = 0; i < text.length; i++) {
    crc ^= text.charCodeAt(i) << 8;
    for (let bit = 0; bit < 8; bit++) crc = ((crc << 1) ^ (crc & 0x8000 ? 0x1021 : 0)) & 0xffff;
  }
  return hex(crc, 4);
}

/** `value` in hex, with leading zeros. */
export function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, '0');
}

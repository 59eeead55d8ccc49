import { inputError, type P2mError } from '../../events/index.js';
import { unzipped } from '../recording/unzipped.js';
import {
  EVENT_NAMES,
  History,
  OPERATION_NAMES,
  type EventName,
  type EventPlace,
  type OperationName,
} from './history.js';
import type { Scalar } from './names.js';

/** A line has at most so many characters. */
const LINE_MAX = 1 << 20;
/** Who disturbs a Jepsen test; what it does is no operation on a register. */
const NEMESIS = 'nemesis';

/**
 * Reads a history of registers in Jepsen's JSON form: an object a line, `{"process", "type", "f", "key", "value", "time"}`.
 * Each operation is two lines of its process: `invoke`, then `ok`, `fail` (no effect) or `info` (nobody knows). Without
 * `key` there is one register; without `time` the order is that of the lines. Other fields are not looked at, nor are
 * lines of the process "nemesis". Jepsen's EDN is not read.
 *
 * @param pieces the file, cut anywhere, plain or gzip
 * @throws {P2mError} with file and line: what is no such line, ends what has not begun, or runs backwards
 */
export async function readHistory(
  pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  file: string,
): Promise<History> {
  const reader = new JepsenReader(file);
  for await (const piece of unzipped(pieces, file)) reader.pushBytes(piece);
  reader.pushBytes(undefined);
  return reader.end();
}

/** The same of a text. @throws {P2mError} as `readHistory` does */
export function parseHistory(text: string, file = 'history.jsonl'): History {
  const reader = new JepsenReader(file);
  reader.push(text);
  return reader.end();
}

/** A line as JSON has it; each field is looked at before it is used. */
type Fields = Readonly<Record<string, unknown>>;

/** What a process is doing. */
interface ProcessState {
  readonly name: Scalar;
  /** Its operation that has not ended; -1 where it has none. */
  open: number;
  openLine: number;
  time: number;
}

const NO_OPERATION = -1;

/** Makes a history of lines that come piece by piece. */
class JepsenReader {
  /** Lines so far. */
  #line = 0;
  readonly #file: string;
  readonly #history = new History();
  readonly #processes = new Map<Scalar, ProcessState>();
  readonly #decoder = new TextDecoder('utf-8', { fatal: true });
  /** The beginning of the line in hand. */
  #rest = '';
  #text = '';

  constructor(file: string) {
    this.#file = file;
  }

  /** Bytes of UTF-8, cut anywhere; undefined behind the last. */
  pushBytes(piece: Uint8Array | undefined): void {
    this.push(this.#decode(piece));
  }

  push(text: string): void {
    let start = 0;
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', start)) {
      this.#takeLine(this.#rest + text.slice(start, end));
      this.#rest = '';
      start = end + 1;
    }
    this.#rest += text.slice(start);
    if (this.#rest.length > LINE_MAX) this.#takeLine(this.#rest);
  }

  end(): History {
    if (this.#rest !== '') this.#takeLine(this.#rest);
    if (this.#history.count === 0) {
      throw inputError('empty history', { file: this.#file, got: `${this.#line} lines`, expected: EXAMPLE });
    }
    return this.#history.arrange();
  }

  #decode(piece: Uint8Array | undefined): string {
    try {
      return piece === undefined ? this.#decoder.decode() : this.#decoder.decode(piece, { stream: true });
    } catch {
      const got = `bytes that are not UTF-8 after line ${this.#line}`;
      throw inputError('binary data', { file: this.#file, got, expected: 'JSON lines' });
    }
  }

  #takeLine(text: string): void {
    this.#line++;
    this.#text = text;
    if (text.length > LINE_MAX) throw this.#error('the line is too long', 'more', `${LINE_MAX} characters at most`);
    if (text.trim() === '') return;
    const fields = this.#parse(text);
    if (fields.process === NEMESIS) return;
    const who = this.#scalar(fields, 'process');
    if (who === null) throw this.#error('no process', shown(fields.process), '"process": a number or a string');
    const type = this.#nameOf(fields, 'type', EVENT_NAMES);
    const f = this.#nameOf(fields, 'f', OPERATION_NAMES);
    const state = this.#stateOf(who);
    const place = this.#placeOf(fields, state);
    if (type === 'invoke') this.#invoke(fields, f, state, place);
    else this.#complete(fields, f, type, state, place);
  }

  #invoke(fields: Fields, f: OperationName, state: ProcessState, place: EventPlace): void {
    if (state.open !== NO_OPERATION) {
      const got = `an invoke, while its operation of line ${state.openLine} is open`;
      throw this.#error(`process ${JSON.stringify(state.name)} begins twice`, got, '"ok", "fail" or "info" first');
    }
    const key = fields.key === undefined ? null : this.#scalar(fields, 'key');
    const [expected, value] = this.#argument(fields, f);
    state.open = this.#history.invoke({ process: state.name, f, key, value, expected }, place);
    state.openLine = this.#line;
  }

  #complete(
    fields: Fields,
    f: OperationName,
    type: Exclude<EventName, 'invoke'>,
    state: ProcessState,
    place: EventPlace,
  ): void {
    const operation = state.open;
    if (operation === NO_OPERATION) {
      throw this.#error(`process ${JSON.stringify(state.name)} has begun nothing`, `"${type}"`, '"invoke" first');
    }
    this.#checkSame(fields, f, operation, state.openLine);
    state.open = NO_OPERATION;
    const isRead = f === 'read' && type === 'ok';
    if (isRead && fields.value === undefined) throw this.#error('no value', 'nothing', '"value": what it returned');
    this.#history.complete(operation, type, place, isRead ? this.#scalar(fields, 'value') : undefined);
  }

  /** That a line which ends an operation says nothing else of it than the line which began it. */
  #checkSame(fields: Fields, f: OperationName, operation: number, line: number): void {
    const { kind, key, keys, value, expected, values } = this.#history;
    const begun = OPERATION_NAMES[kind.cells[operation]!]!;
    const want = `as in line ${line}`;
    if (f !== begun) throw this.#error('ends another operation', `"${f}"`, `"${begun}" ${want}`);
    const name = keys.name(key.cells[operation]!);
    if (fields.key !== undefined && fields.key !== name) {
      throw this.#error('ends an operation on another key', shown(fields.key), `${JSON.stringify(name)} ${want}`);
    }
    if (f === 'read' || fields.value === undefined || fields.value === null) return;
    const [from, to] = this.#argument(fields, f);
    const wrote = values.name(value.cells[operation]!);
    if (to === wrote && (f === 'write' || from === values.name(expected.cells[operation]!))) return;
    throw this.#error('ends an operation of another value', shown(fields.value), `that ${want}, or null`);
  }

  /** What a cas finds and what it writes; a write has only the latter, a read neither. */
  #argument(fields: Fields, f: OperationName): readonly [expected: Scalar, value: Scalar] {
    if (f === 'read') return [null, null];
    if (f === 'write') {
      if (fields.value === undefined) throw this.#error('no value', 'nothing', '"value": what is written');
      return [null, this.#scalar(fields, 'value')];
    }
    const pair: unknown = fields.value;
    if (!Array.isArray(pair) || pair.length !== 2) {
      throw this.#error('bad value of a cas', shown(pair), '[old, new]');
    }
    return [this.#scalarOf(pair[0], 'value'), this.#scalarOf(pair[1], 'value')];
  }

  #placeOf({ time }: Fields, state: ProcessState): EventPlace {
    const { events, isTimed } = this.#history;
    const has = time !== undefined && time !== null;
    if (events.length > 0 && has !== isTimed) {
      throw this.#error('times here and there', has ? 'a time' : 'no time', 'one in each line, or in none');
    }
    if (!has) return { line: this.#line };
    if (typeof time !== 'number' || Math.abs(time) > Number.MAX_SAFE_INTEGER) {
      throw this.#error('bad time', shown(time), 'a number up to 2^53', 'without times the order is that of the lines');
    }
    if (time < state.time) {
      throw this.#error(
        `time runs backwards in process ${JSON.stringify(state.name)}`,
        String(time),
        `${state.time} or more`,
      );
    }
    state.time = time;
    return { line: this.#line, time };
  }

  #stateOf(name: Scalar): ProcessState {
    let state = this.#processes.get(name);
    if (state === undefined) {
      state = { name, open: NO_OPERATION, openLine: 0, time: -Infinity };
      this.#processes.set(name, state);
    }
    return state;
  }

  #parse(text: string): Fields {
    let parsed: unknown;
    try {
      parsed = JSON.parse(text);
    } catch (error) {
      const hint = /^\s*[{[]:|^\s*\{.*:process /.test(text) ? 'Jepsen writes EDN, too, which is not read' : undefined;
      throw this.#error('bad JSON', (error as Error).message, `an object a line, as ${EXAMPLE}`, hint);
    }
    if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
      throw this.#error('no operation', shown(parsed), `an object, as ${EXAMPLE}`);
    }
    return parsed as Fields;
  }

  #nameOf<Name extends string>(fields: Fields, field: string, names: readonly Name[]): Name {
    const name = names.find((each) => each === fields[field]);
    if (name === undefined) throw this.#error(`unknown ${field}`, shown(fields[field]), names.join(', '));
    return name;
  }

  #scalar(fields: Fields, field: string): Scalar {
    return this.#scalarOf(fields[field], field);
  }

  #scalarOf(value: unknown, field: string): Scalar {
    if (typeof value === 'string' || typeof value === 'boolean' || value === null) return value;
    if (typeof value === 'number') {
      // Two different numbers in the file would be one here.
      const isExact = Number.isFinite(value) && (!Number.isInteger(value) || Number.isSafeInteger(value));
      if (isExact) return value;
      throw this.#error(`bad ${field}`, shown(value), 'a number up to 2^53', 'write larger ones as strings');
    }
    const hint = Array.isArray(value) ? 'a key goes into a field of its own: "key"' : undefined;
    throw this.#error(`bad ${field}`, shown(value), 'a number, a string, true, false or null', hint);
  }

  #error(what: string, got: string, expected: string, hint?: string): P2mError {
    const where = { file: this.#file, line: this.#line, text: this.#text };
    return inputError(what, { ...where, got, expected, ...(hint === undefined ? {} : { hint }) });
  }
}

const EXAMPLE = '{"process":0,"type":"invoke","f":"write","key":3,"value":7}';

function shown(value: unknown): string {
  return value === undefined ? 'nothing' : JSON.stringify(value);
}

import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { parseHistory, printHistory, readHistory, type History } from '../../../replay/index.js';
import { randomHistory } from './random_history.js';

const line = (fields: object): string => `${JSON.stringify(fields)}\n`;
const INVOKE = line({ process: 0, type: 'invoke', f: 'write', key: 3, value: 7 });
const OK = line({ process: 0, type: 'ok', f: 'write', key: 3, value: 7 });

const operationsIn = (history: History): string[] =>
  Array.from(
    { length: history.count },
    (_, i) => `${history.began.cells[i]}..${history.ended.cells[i]} ${history.outcome.cells[i]}`,
  );

describe('parseHistory', () => {
  it('reads back what printHistory prints, with and without keys', () => {
    const mix = { operations: 40, processes: 4, values: 3, cas: 30, pending: 20, failed: 10, wrong: 10 };
    for (let seed = 1; seed <= 50; seed++) {
      const history = randomHistory(seed, { ...mix, keys: 1 + (seed % 3) });
      const text = printHistory(history);
      expect(printHistory(parseHistory(text))).toBe(text);
      expect(operationsIn(parseHistory(text))).toEqual(operationsIn(history));
    }
  });

  it('takes names and values that are numbers, strings, booleans or null, and tells 1 from "1"', () => {
    const text = [1, '1', true, null, -0.5, 'a "b"\n']
      .map((value, i) => line({ process: `p${i}`, type: 'invoke', f: 'write', key: i % 2 ? i : `${i}`, value }))
      .join('');
    const history = parseHistory(text);
    expect(history.values.count).toBe(6);
    expect(printHistory(history)).toBe(text);
  });

  it('orders by time, and by line where times are equal, and prints times again', () => {
    const text = [
      { process: 1, type: 'invoke', f: 'read', value: null, time: 5 },
      { process: 0, type: 'invoke', f: 'write', value: 7, time: 1 },
      { process: 0, type: 'ok', f: 'write', value: 7, time: 5 },
      { process: 1, type: 'ok', f: 'read', value: 7, time: 6 },
    ].map(line);
    const printed = printHistory(parseHistory(text.join('')));
    expect(printed).toBe([text[1], text[0], text[2], text[3]].join(''));
    expect(printHistory(parseHistory(printed))).toBe(printed);
  });

  it('passes over the nemesis, fields that it does not know, empty lines and \\r', () => {
    const nemesis = line({ process: 'nemesis', type: 'info', f: 'kill', value: { n1: 'killed' } });
    const known = line({ process: 0, type: 'ok', f: 'write', key: 3, value: null, index: 4, error: ['x'] });
    const history = parseHistory(`${nemesis}\n${INVOKE.replace('\n', '\r\n')}${nemesis}${known}`);
    expect(printHistory(history)).toBe(INVOKE + OK);
    expect([...history.lines.cells.subarray(0, 2)]).toEqual([3, 5]);
  });

  it('lets a process go on after an operation of which nobody knows', () => {
    const info = OK.replace('"ok"', '"info"');
    expect(parseHistory(INVOKE + info + INVOKE + OK).count).toBe(2);
  });

  it.each([
    ['nothing', '', 'h:', 'empty history: got 0 lines'],
    ['text that is no JSON', `${INVOKE}{"process":\n`, 'h:2:', 'bad JSON'],
    ['EDN', '{:process 0, :type :invoke, :f :read}\n', 'h:1:', 'Jepsen writes EDN, too, which is not read'],
    ['a list', '[1]\n', 'h:1:', 'no operation: got [1]'],
    ['no process', line({ type: 'invoke', f: 'read' }), 'h:1:', 'bad process: got nothing'],
    ['a null process', line({ process: null, type: 'ok' }), 'h:1:', 'no process: got null'],
    [
      'another type',
      INVOKE.replace('invoke', 'begin'),
      'h:1:',
      'unknown type: got "begin", want invoke, ok, fail, info',
    ],
    ['another f', INVOKE.replace('write', 'append'), 'h:1:', 'unknown f: got "append", want read, write, cas'],
    ['an end without a beginning', `\n${OK}`, 'h:2:', 'process 0 has begun nothing: got "ok", want "invoke" first'],
    ['two beginnings', INVOKE + INVOKE, 'h:2:', 'process 0 begins twice: got an invoke, while its operation of line 1'],
    ['two ends', INVOKE + OK + OK, 'h:3:', 'process 0 has begun nothing'],
    ['the end of another f', INVOKE + OK.replace('write', 'read'), 'h:2:', 'ends another operation: got "read"'],
    [
      'the end of another key',
      INVOKE + OK.replace('3', '4'),
      'h:2:',
      'ends an operation on another key: got 4, want 3',
    ],
    ['the end of another value', INVOKE + OK.replace('7', '8'), 'h:2:', 'ends an operation of another value: got 8'],
    ['a write of nothing', INVOKE.replace(',"value":7', ''), 'h:1:', 'no value: got nothing'],
    ['a list as a value', INVOKE.replace('7', '[1,2]'), 'h:1:', 'a key goes into a field of its own'],
    ['a cas of one value', INVOKE.replace('write', 'cas'), 'h:1:', 'bad value of a cas: got 7, want [old, new]'],
    ['a number that is not exact', INVOKE.replace('7', '9007199254740993'), 'h:1:', 'write larger ones as strings'],
    ['a time that is not exact', INVOKE.replace('}', ',"time":1700000000000000001}'), 'h:1:', 'bad time'],
    ['a time here and there', INVOKE.replace('}', ',"time":1}') + OK, 'h:2:', 'times here and there: got no time'],
    [
      'time that runs backwards',
      INVOKE.replace('}', ',"time":5}') + OK.replace('}', ',"time":4}'),
      'h:2:',
      'time runs backwards in process 0: got 4, want 5 or more',
    ],
    ['an endless line', `"${'x'.repeat(2 ** 20)}"\n`, 'h:1:', 'the line is too long'],
  ])('refuses %s', (_, text, where, what) => {
    expect(() => parseHistory(text, 'h')).toThrow(where);
    expect(() => parseHistory(text, 'h')).toThrow(what);
  });

  it('refuses a read that returns nothing', () => {
    const read = line({ process: 0, type: 'invoke', f: 'read' });
    expect(() => parseHistory(read + line({ process: 0, type: 'ok', f: 'read' }))).toThrow('no value: got nothing');
  });
});

describe('readHistory', () => {
  it('reads bytes that are cut anywhere, plain or gzip', async () => {
    const text = INVOKE.replace('7', '"\u00e4\u20ac"') + OK.replace('7', '"\u00e4\u20ac"').trimEnd();
    for (const bytes of [Buffer.from(text), gzipSync(text)]) {
      const pieces = [...bytes].map((byte) => Uint8Array.of(byte));
      expect(printHistory(await readHistory(pieces, 'h'))).toBe(`${text}\n`);
    }
  });

  it('refuses what is not UTF-8, and gzip that is cut', async () => {
    const bytes = Buffer.concat([Buffer.from(INVOKE), Uint8Array.of(0xff, 0xff)]);
    await expect(readHistory([bytes], 'h')).rejects.toThrow('h: binary data: got bytes that are not UTF-8');
    await expect(readHistory([gzipSync(INVOKE).subarray(0, 30)], 'h')).rejects.toThrow('gzip file is cut');
  });
});

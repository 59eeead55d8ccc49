import { describe, expect, it } from 'vitest';
import { checkHistory, parseHistory } from '../../../replay/index.js';
import type { Told } from '../audit/logs.js';
import { logOfEvents } from '../audit/logs.js';
import { exported, exploredLog, IDENTITY_RACE } from './exported.js';

const verdictOf = (log: Parameters<typeof exported>[0]): string => {
  const { bytes, rows } = exported(log, 'jepsen');
  expect(bytes.toString().split('\n')).toHaveLength(rows + 1);
  return checkHistory(parseHistory(bytes.toString())).verdict;
};

describe('exportJepsen', () => {
  it.each([
    ['3.19', 'violated'],
    ['7.0', 'ok'],
  ])('gives the history of an explored race on %s the verdict of the explorer: %s', (kernel, verdict) => {
    const explored = exploredLog({ kernel, ...IDENTITY_RACE });
    expect(explored.verdict).toBe(verdict);
    expect(verdictOf(explored.log)).toBe(verdict);
  });

  it('tells a lost set by what the list holds at the end', () => {
    const { log, verdict } = exploredLog({
      kernel: '3.16',
      layout: [['nr', '2048']],
      threads: [[['set', 0x1002, 'm:77']], [['set', 0x1003, 'm:78']]],
      check: ['not-linearizable'],
    });
    expect(verdict).toBe('violated');
    expect(verdictOf(log)).toBe('violated');
    const withoutEnd = exported(log, 'jepsen')
      .bytes.toString()
      .replace(/.*"after".*\n/g, '');
    expect(checkHistory(parseHistory(withoutEnd)).verdict).toBe('ok');
  });

  it('calls a set that returned false failed, and an operation that is cut unknown', () => {
    const { log } = exploredLog({
      kernel: '7.0',
      layout: [
        ['nr', '2048'],
        ['hole', '1024', '1536'],
      ],
      threads: [[['rawSet', 0x402, 'm:77']], [['lookup', 0x403]]],
    });
    expect(exported(log, 'jepsen').bytes.toString()).toMatch(/"type":"fail","f":"write","key":"0x402","value":"m:77"/);
    const cut = exploredLog({ kernel: '3.19', ...IDENTITY_RACE }).log;
    expect(exported(cut, 'jepsen').bytes.toString()).toMatch(/"type":"info","f":"write","key":"0x402"/);
  });

  it('refuses a log that says not what memory it is of', () => {
    const call: Told = {
      cpu: 0,
      op: 1,
      kind: 'call',
      operation: 'set_phys_to_machine',
      pfn: 1,
      value: '0x4d',
      origin: 0,
    };
    expect(() => exported(logOfEvents([call]), 'jepsen')).toThrow('told.jsonl: the header of the log: no capacity');
  });
});

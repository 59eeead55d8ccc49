import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { runP2m, temporaryFolder } from './run_p2m.js';

const ZIPPED = fileURLToPath(new URL('../vectors/sequential/v7.0/beyond.jsonl.gz', import.meta.url));
const vector = gunzipSync(readFileSync(ZIPPED)).toString();
/** The vector with one field of one line altered. */
const altered = vector
  .split('\n')
  .map((line, i) => (i === 2 ? line.replace('"ret":512', '"ret":511') : line))
  .join('\n');

describe('p2m conform', () => {
  it('passes vectors, gzip or plain, one by one or by the folder, or from stdin', () => {
    const folder = temporaryFolder();
    mkdirSync(`${folder}/deeper`);
    writeFileSync(`${folder}/deeper/plain.jsonl`, vector);
    writeFileSync(`${folder}/zipped.jsonl.gz`, readFileSync(ZIPPED));
    writeFileSync(`${folder}/notes.txt`, 'no vector');
    expect(runP2m(['conform', folder, ZIPPED])).toEqual({ stdout: '3 passed, 0 failed\n', stderr: '', code: 0 });
    expect(runP2m(['conform', '--memory', 'flat', '-'], readFileSync(ZIPPED))).toEqual({
      stdout: '1 passed, 0 failed\n',
      stderr: '',
      code: 0,
    });
  });

  it('prints a line a failure, goes on, and counts the files', () => {
    const folder = temporaryFolder();
    writeFileSync(`${folder}/a.jsonl`, altered);
    writeFileSync(`${folder}/b.jsonl`, vector);
    writeFileSync(`${folder}/cut.jsonl.gz`, readFileSync(ZIPPED).subarray(0, 300));
    writeFileSync(`${folder}/empty.jsonl`, '');
    writeFileSync(`${folder}/garbage.jsonl`, 'garbage\n');
    symlinkSync('loop.jsonl', `${folder}/loop.jsonl`);
    const { stdout, stderr, code } = runP2m(['conform', folder, `${folder}/absent.jsonl`, `${folder}/b.jsonl/c`]);
    expect(stdout.split('\n')).toEqual([
      `${folder}/a.jsonl:3: identity ret: got 512, want 511`,
      expect.stringContaining(`${folder}/cut.jsonl.gz: damaged gzip`),
      expect.stringContaining(`${folder}/empty.jsonl: empty vector`),
      expect.stringContaining(`${folder}/garbage.jsonl:1: bad JSON`),
      expect.stringContaining(`${folder}/loop.jsonl: cannot read`),
      expect.stringContaining(`${folder}/absent.jsonl: cannot read: no such file`),
      expect.stringContaining(`${folder}/b.jsonl/c: cannot read`),
      '1 passed, 7 failed',
      '',
    ]);
    expect([stderr, code]).toEqual(['', 1]);
  });

  it('gives all of it as one JSON object', () => {
    const folder = temporaryFolder();
    writeFileSync(`${folder}/a.jsonl`, altered);
    const { stdout, code } = runP2m(['conform', '--json', folder]);
    expect(JSON.parse(stdout)).toEqual({
      passed: 0,
      failed: 1,
      skipped: 0,
      failures: [{ file: `${folder}/a.jsonl`, line: 3, op: 'identity', field: 'ret', got: '512', expected: '511' }],
    });
    expect(code).toBe(1);
  });

  it('finds no vectors in an empty folder, which is bad input', () => {
    const folder = temporaryFolder();
    const { stdout, stderr, code } = runP2m(['conform', folder]);
    expect([stdout, code]).toEqual(['', 3]);
    expect(stderr).toBe(
      `error: no vectors: got ${folder}, want files or folders with .jsonl or .json files, plain or .gz\n`,
    );
  });

  const CONCURRENT = fileURLToPath(new URL('../vectors/concurrency/sl-missing-foreign.7.0.json.gz', import.meta.url));

  it('explores concurrency vectors, beside sequential ones or alone, and from stdin', () => {
    const folder = temporaryFolder();
    const text = gunzipSync(readFileSync(CONCURRENT)).toString();
    writeFileSync(`${folder}/a.json`, text);
    writeFileSync(`${folder}/b.jsonl`, vector);
    expect(runP2m(['conform', folder, CONCURRENT])).toEqual({ stdout: '3 passed, 0 failed\n', stderr: '', code: 0 });
    expect(runP2m(['conform', '-'], readFileSync(CONCURRENT)).stdout).toBe('1 passed, 0 failed\n');
    writeFileSync(`${folder}/a.json`, text.replace('"interleavings":"17550"', '"interleavings":"17551"'));
    const { stdout, code } = runP2m(['conform', folder]);
    expect([stdout, code]).toEqual([
      `${folder}/a.json:1: scenario interleavings: got 17550, want 17551\n1 passed, 1 failed\n`,
      1,
    ]);
    expect(JSON.parse(runP2m(['conform', '--json', `${folder}/a.json`]).stdout)).toMatchObject({
      failed: 1,
      failures: [{ op: 'scenario', field: 'interleavings', got: '17550', expected: '17551' }],
    });
  });

  it('refuses JSON that is no vector, and a concurrency vector that is cut', () => {
    const folder = temporaryFolder();
    const text = gunzipSync(readFileSync(CONCURRENT)).toString();
    writeFileSync(`${folder}/cut.json`, text.slice(0, 500));
    writeFileSync(`${folder}/half.json`, JSON.stringify({ threads: [] }));
    writeFileSync(`${folder}/other.json`, '{"name":"x"}');
    const { stdout, code } = runP2m(['conform', folder]);
    expect(stdout.split('\n')).toEqual([
      expect.stringContaining(`${folder}/cut.json:1: bad JSON`),
      expect.stringContaining(`${folder}/half.json: bad concurrency vector: got kernel`),
      expect.stringContaining(`${folder}/other.json:1: bad header`),
      '0 passed, 3 failed',
      '',
    ]);
    expect(code).toBe(1);
  });

  it('leaves interleavings out where only the flat memory is asked for, and says so', () => {
    expect(runP2m(['conform', '--memory', 'flat', CONCURRENT])).toEqual({
      stdout: '0 passed, 0 failed\n',
      stderr: 'note: 1 files skipped: not for the flat memory\n',
      code: 0,
    });
  });

  it('knows two memories', () => {
    const { stderr, code } = runP2m(['conform', '--memory', 'round', ZIPPED]);
    expect([stderr, code]).toEqual(['error: unknown memory: got "round", want paged or flat\n', 2]);
  });
});

/**
 * `npm run bench:log -- [--events N] [--rounds N] [--only NAME] [--huge]`: our log against JSON lines, SQLite and DuckDB; what
 * docs/benchmarks.md says of it is from here. `--huge` writes and reads ten times as many events into ours alone, and
 * looks at the memory that takes.
 *
 * Each step of a contestant is a process of its own; contestants take turns, round by round. All must have kept the same.
 */
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, statfsSync } from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { CONTESTANTS, NEEDS, OURS, type Measure, type Measured, type StepName } from './contestants/contestants.js';
import { foreign, FOREIGN_FOLDER } from './contestants/foreign.js';
import { showSpread, table, type Verdict } from './report.js';
import { spread } from './statistics.js';
import { logVerdicts, rates, residentVerdict } from './works/log_claims.js';

/** A contestant that takes the most, with its index. */
const BYTES_AN_EVENT = 300;
const PARTS = ['append', 'append, synced', 'scan', 'verify', 'index', 'set by', 'history'];

const { values } = parseArgs({
  options: {
    events: { type: 'string', default: '10000000' },
    rounds: { type: 'string', default: '2' },
    only: { type: 'string', default: '' },
    huge: { type: 'boolean', default: false },
  },
});
const events = Number(values.events);
const rounds = Number(values.rounds);
const names = Object.keys(CONTESTANTS).filter((name) => name.toLowerCase().includes(values.only.toLowerCase()));
if (!(Number.isInteger(events) && events >= 1e6 && Number.isInteger(rounds) && rounds >= 1) || names.length === 0) {
  process.stderr.write(
    `want --events of 1000000 or more, --rounds of 1 or more, --only a part of: ${Object.keys(CONTESTANTS).join(', ')}\n`,
  );
  process.exit(2);
}

const measured = new Map<string, Measure[]>();
const skipped = new Map<string, string>();
const folder = mkdtempSync(join(tmpdir(), 'p2m-bench-log-'));
const children = new Set<ReturnType<typeof spawn>>();
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    for (const child of children) child.kill('SIGKILL');
    process.exit(signal === 'SIGINT' ? 130 : 143);
  });
}

checkDisk();
const loadBefore = loadavg()[0]!;
if (values.huge) await measureHuge();
else await measureAll();

async function measureAll(): Promise<void> {
  const present = names.filter((name) => !isMissing(name));
  for (let round = 0; round < rounds; round++) {
    for (const name of present) {
      process.stderr.write(`round ${round + 1} of ${rounds}: ${name} ...\n`);
      await contend(name);
    }
  }
  checkSame(present);
  print(present, logVerdicts(of, events));
}

/** All steps of a contestant; a tenth of the events is what it brings to disk each batch. */
async function contend(name: string): Promise<void> {
  const [whole, tenth] = [emptyFolder('whole'), emptyFolder('tenth')];
  await run(name, 'append', whole, events);
  await run(name, 'append, synced', tenth, events / 10);
  await run(name, 'scan', whole, events);
  await run(name, 'verify', whole, events);
  await run(name, 'questions', whole, events);
  if (name === OURS) await recover(whole, tenth);
  rmSync(whole, { recursive: true });
  rmSync(tenth, { recursive: true });
}

/** Recovery of logs that nobody has brought to disk, one ten times as long as the other, and of one that is there. */
async function recover(whole: string, synced: string): Promise<void> {
  const tenth = emptyFolder('tenth, not synced');
  await run(OURS, 'append', tenth, events / 10, 'append, tenth');
  await run(OURS, 'recovery', whole, events);
  await run(OURS, 'recovery', tenth, events / 10, 'recovery, tenth');
  await run(OURS, 'recovery', synced, events / 10, 'recovery, tenth, synced');
  rmSync(tenth, { recursive: true });
}

function emptyFolder(name: string): string {
  const path = join(folder, name);
  mkdirSync(path);
  return path;
}

/** Memory does not grow with the log: one of these events, and one ten times as long. */
async function measureHuge(): Promise<void> {
  const resident: { events: number; append: number; scan: number }[] = [];
  for (const count of [events, 10 * events]) {
    process.stderr.write(`${count} events ...\n`);
    const log = emptyFolder(String(count));
    const append = await run(OURS, 'append', log, count);
    const scan = await run(OURS, 'scan', log, count);
    const [kept, read] = [append, scan].map(({ measures }) => Object.values(measures)[0]!.checks!.join());
    if (kept !== read) throw new Error(`${count} events were kept (${kept}), others were read (${read})`);
    resident.push({ events: count, append: append.residentBytes, scan: scan.residentBytes });
    rmSync(log, { recursive: true });
  }
  const megabytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(0)} MB`;
  const body = resident.map((row) => [String(row.events), megabytes(row.append), megabytes(row.scan)]);
  process.stdout.write(`${table(['events', 'append, most resident', 'scan, most resident'], body)}\n\n`);
  const [short, long] = resident;
  printVerdicts([residentVerdict([long!.append - short!.append, long!.scan - short!.scan])]);
}

/** A step of a contestant, in a process of its own. */
async function run(name: string, step: StepName, inFolder: string, count: number, part?: string): Promise<Measured> {
  const file = fileURLToPath(new URL('./contestants/step.js', import.meta.url));
  const child = spawn(process.execPath, [file, name, step, inFolder, String(Math.floor(count))], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.add(child);
  let text = '';
  child.stdout.on('data', (piece: Buffer) => (text += piece.toString()));
  const code = await new Promise<number | null>((done) => child.on('close', done));
  children.delete(child);
  if (code !== 0) throw new Error(`${name}, ${step}: exit code ${code}`);
  const result = JSON.parse(text) as Measured;
  for (const [measure, value] of Object.entries(result.measures)) {
    const key = keyOf(name, part ?? measure);
    measured.set(key, [...(measured.get(key) ?? []), value]);
  }
  return result;
}

function keyOf(name: string, part: string): string {
  return `${name}/${part}`;
}

function of(name: string, part: string): readonly Measure[] {
  return measured.get(keyOf(name, part)) ?? [];
}

/** Whether a package that the contestant needs is not there. */
function isMissing(name: string): boolean {
  const needs = NEEDS[name];
  if (needs === undefined) return false;
  try {
    foreign(needs);
    return false;
  } catch (error) {
    skipped.set(name, `no ${needs} in ${FOREIGN_FOLDER}: ${(error as Error).message.split('\n')[0]!}`);
    return true;
  }
}

/** What was appended was read, and answers agree, as far as each contestant came in its time. */
function checkSame(present: readonly string[]): void {
  const first = present[0]!;
  for (const name of present) {
    for (const [part, as] of Object.entries({
      append: 'append',
      scan: 'append',
      'set by': 'set by',
      history: 'history',
    })) {
      for (const { checks = [] } of of(name, part)) {
        const expected = of(first, as)[0]!.checks!;
        const differs = checks.some((check, i) => i < expected.length && check !== expected[i]);
        if (differs) throw new Error(`${name}, ${part}: ${checks.join()}; ${first}, ${as}: ${expected.join()}`);
      }
    }
  }
}

function checkDisk(): void {
  const { bavail, bsize } = statfsSync(folder);
  const wanted = (values.huge ? 10 : 1.2) * events * (values.huge ? 40 : BYTES_AN_EVENT);
  if (bavail * bsize < wanted) throw new Error(`${folder} has no room for ${(wanted / 1e9).toFixed(1)} GB`);
}

function print(present: readonly string[], verdicts: readonly Verdict[]): void {
  process.stdout.write(
    `${new Date().toISOString().slice(0, 10)}, ${cpus()[0]!.model.trim()}, ${cpus().length} CPUs, node ${process.version}, ` +
      `load ${loadBefore.toFixed(1)} before, ${loadavg()[0]!.toFixed(1)} after\n` +
      `${events} events, ${rounds} rounds: million a second of processor time; [by the clock]; median (min..max)\n\n`,
  );
  const speed = (name: string, part: string): string => {
    const measures = of(name, part);
    if (measures.length === 0) return '';
    const [cpu, wall] = [spread(rates(measures, 'cpuNs')), spread(rates(measures, 'wallNs'))];
    return `${show(cpu.median)} (${show(cpu.min)}..${show(cpu.max)}) [${show(wall.median)}]`;
  };
  const bytes = (name: string): string => (of(name, 'append')[0]!.bytes! / events).toFixed(1);
  const body = present.map((name) => [name, bytes(name), ...PARTS.map((part) => speed(name, part))]);
  process.stdout.write(`${table(['contestant', 'bytes an event', ...PARTS], body)}\n\n`);
  for (const [name, why] of skipped) process.stdout.write(`${name}: skipped, ${why}\n`);
  for (const part of ['recovery', 'recovery, tenth', 'recovery, tenth, synced']) {
    const measures = of(OURS, part);
    if (measures.length > 0) {
      process.stdout.write(`${part}: ${showSpread(spread(measures.map(({ wallNs }) => wallNs / 1e6)))} ms\n`);
    }
  }
  const eachMs = of(OURS, 'state at').flatMap((measure) => measure.eachMs!);
  if (eachMs.length > 0) process.stdout.write(`state at a moment: ${showSpread(spread(eachMs))} ms\n\n`);
  printVerdicts(verdicts);
}

/** Small numbers with as many digits as they need. */
function show(rate: number): string {
  return rate >= 0.1 ? rate.toFixed(2) : rate.toPrecision(2);
}

function printVerdicts(verdicts: readonly Verdict[]): void {
  const body = verdicts.map(({ text, target, measured: value, verdict }) => [
    text,
    target,
    value === undefined ? '' : showSpread(value),
    verdict,
  ]);
  process.stdout.write(`${table(['claim', 'target', 'measured', 'verdict'], body)}\n`);
}

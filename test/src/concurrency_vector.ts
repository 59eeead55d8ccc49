import { readdirSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { readConcurrencyVector, type ConcurrencyVector } from '../../replay/index.js';

const ROOT = new URL('../vectors/concurrency/', import.meta.url);

/** Names of the concurrency vectors that ship with the project. */
export function concurrencyVectors(): string[] {
  return readdirSync(ROOT).map((name) => name.replace(/\.json\.gz$/, ''));
}

/** The text of one of them, unzipped. */
export function concurrencyText(name: string): string {
  return gunzipSync(readFileSync(new URL(`${name}.json.gz`, ROOT))).toString();
}

/** Reads one of them. */
export function shippedVector(name: string): ConcurrencyVector {
  return readConcurrencyVector(concurrencyText(name), name);
}

/** Indices of the threads and names of the steps of a vector's schedule. */
export function namedSteps(schedule: ConcurrencyVector['outcomes'][number]['schedule']): {
  agents: number[];
  labels: string[];
} {
  return { agents: schedule.map(([name]) => 'ABC'.indexOf(name)), labels: schedule.map(([, label]) => label) };
}

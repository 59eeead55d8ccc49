import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { replayRecording, type RecordingFiles, type ReplayOptions, type ReplayReport } from '../../../replay/index.js';

/** The files of a recording in memory, unzipped where they were gzip, to be changed at will. */
export type FileSet = Map<string, Uint8Array>;

/** A recording that ships with the project, by its name, or any folder by its path. */
export function recordingFiles(name: string): FileSet {
  const folder = name.includes('/') ? name : fileURLToPath(new URL(`../../recordings/${name}`, import.meta.url));
  const files: FileSet = new Map();
  for (const file of readdirSync(folder)) {
    const bytes = readFileSync(`${folder}/${file}`);
    files.set(file, file.endsWith('.gz') ? gunzipSync(bytes) : bytes);
  }
  return files;
}

export function filesOf(files: ReadonlyMap<string, Uint8Array>): RecordingFiles {
  return {
    read: (name) => files.get(name),
    open: (name) => {
      const bytes = files.get(name);
      return bytes === undefined ? undefined : piecesOf(bytes);
    },
  };
}

function* piecesOf(bytes: Uint8Array): Generator<Uint8Array, void, undefined> {
  for (let at = 0; at < bytes.length; at += 50_000) yield bytes.subarray(at, at + 50_000);
}

export function replay(
  files: ReadonlyMap<string, Uint8Array>,
  options: ReplayOptions = { memory: 'flat' },
): Promise<ReplayReport> {
  return replayRecording(filesOf(files), options);
}

/** A text file of the recording with its lines changed; line n of the file is `lines[n - 1]`. */
export function withLines(files: FileSet, file: string, change: (lines: string[]) => string[] | undefined): FileSet {
  const lines = textOf(files, file).split('\n');
  const changed = change(lines) ?? lines;
  return withFile(files, file, changed.join('\n'));
}

/** The recording with a file replaced, or without it. */
export function withFile(files: FileSet, file: string, content: string | Uint8Array | undefined): FileSet {
  const changed = new Map(files);
  if (content === undefined) changed.delete(file);
  else changed.set(file, typeof content === 'string' ? new TextEncoder().encode(content) : content);
  return changed;
}

export function textOf(files: ReadonlyMap<string, Uint8Array>, file: string): string {
  const bytes = files.get(file);
  if (bytes === undefined) throw new Error(`no ${file} in this recording`);
  return new TextDecoder().decode(bytes);
}

/** 1-based numbers of the lines that match. */
export function linesWith(files: ReadonlyMap<string, Uint8Array>, file: string, pattern: RegExp): number[] {
  return textOf(files, file)
    .split('\n')
    .flatMap((line, i) => (pattern.test(line) ? [i + 1] : []));
}

/** What a replay found, in short: verdict, exit code, and each divergence as `line operation: recorded, not expected`. */
export function findings(report: ReplayReport): { verdict: string | null; exitCode: number; found: string[] } {
  const found = report.divergences.map((d) => `${d.line} ${d.operation} ${d.pfn}: ${d.actual}, not ${d.expected}`);
  return { verdict: report.verdict, exitCode: report.exitCode, found };
}

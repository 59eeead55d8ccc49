import { z } from 'zod';
import { inputError } from '../../events/index.js';
import { decodeText } from './text_lines.js';

/** A name of a dump: its files are `p2m-NAME.bin.gz`, `p2m-NAME.pt.txt`, `p2m-NAME.info`. */
const dumpName = z.string().regex(/^[A-Za-z0-9._-]+$/, 'the NAME of p2m-NAME.bin.gz');
/** A file beside replay.json, never elsewhere. */
const fileName = z.string().regex(/^(?!\.\.?$)[^/\\\0]+$/, 'the name of a file in the same folder');
const eventName = z
  .string()
  .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'the name of an event, such as set_foreign_p2m_mapping_ret');

/** A dump taken on the way: when call number N of an early-boot log was entered, or between two lines of a trace. */
export const checkpointSchema = z.union(
  [
    z.strictObject({ dump: dumpName, beforeCall: z.int().positive() }),
    z.strictObject({ dump: dumpName, after: eventName, before: eventName }),
  ],
  { error: 'either {dump, beforeCall: N} or {dump, after: FUNCTION_ret, before: FUNCTION}' },
);

/** From a dump, by the calls of a log, to a dump. */
export const replayStepSchema = z.strictObject({
  /** Null: nothing is known of the list before the log. */
  from: dumpName.nullable(),
  log: fileName,
  /** Null: there is nothing to compare the end with. */
  to: dumpName.nullable(),
  checkpoints: z.array(checkpointSchema).optional(),
});

const KERNEL = 'a kernel version such as "6.1"';
const STEPS = 'a list of {from, log, to}, one at least';

/** `replay.json` of a recording: how its logs and dumps chain. Keys are strict: a misspelt one would skip a check. */
export const recordingSchema = z.strictObject({
  /** Version of the kernel that was recorded, such as "6.1". */
  kernel: z.string(KERNEL).regex(/^\d+\.\d+/, KERNEL),
  steps: z.array(replayStepSchema, STEPS).min(1, STEPS),
  note: z.string().optional(),
});

/** See `checkpointSchema`. */
export type Checkpoint = z.infer<typeof checkpointSchema>;
/** See `replayStepSchema`. */
export type ReplayStep = z.infer<typeof replayStepSchema>;
/** See `recordingSchema`. */
export type Recording = z.infer<typeof recordingSchema>;

/**
 * Reads a `replay.json`.
 *
 * @throws {P2mError} it is not JSON, or not a recording (with the path of the value)
 */
export function parseRecording(bytes: Uint8Array, file: string): Recording {
  const text = decodeText(bytes, file);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw notJson(text, file, error instanceof Error ? error.message : String(error));
  }
  const result = recordingSchema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0]!;
  const path = issue.path.map((key) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`)).join('');
  const culprit = valueAt(value, issue.path);
  const got = culprit === undefined ? 'nothing' : JSON.stringify(culprit);
  throw inputError(`not a recording: ${path === '' ? 'the whole' : path.replace(/^\./, '')}`, {
    file,
    got,
    expected: issue.message,
  });
}

/** V8 says for some errors where they are. */
function notJson(text: string, file: string, reason: string): Error {
  const complaint = { file, got: reason, expected: '{kernel, steps: [{from, log, to}]}' };
  const position = /at position (\d+)/.exec(reason)?.[1];
  if (position === undefined) return inputError('not JSON', complaint);
  const before = text.slice(0, Number(position)).split('\n');
  const line = before.length;
  return inputError('not JSON', {
    ...complaint,
    line,
    column: before.at(-1)!.length + 1,
    text: text.split('\n')[line - 1]!,
  });
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  let at = value;
  for (const key of path) {
    if (typeof at !== 'object' || at === null) return undefined;
    at = (at as Record<PropertyKey, unknown>)[key];
  }
  return at;
}

import { z } from 'zod';
import { inputError, P2mError } from '../../events/index.js';
import { scenarioOf, scenarioSchema } from '../scenario/read_scenario.js';
import type { Scenario } from '../scenario/scenario.js';

const decimal = z.string().regex(/^\d+$/, 'want a decimal number in a string');
const count = z.int().nonnegative();

/** A scenario with what all its interleavings led to (vectors/README.md, "concurrency"). */
const vectorSchema = scenarioSchema.extend({
  scenario: z.string(),
  initial: z.record(z.string(), z.string()),
  format: z.literal(1),
  interleavings: decimal,
  violating: decimal,
  outcomes: z.array(
    z.looseObject({
      count: decimal,
      outcome: z.strictObject({
        results: z.array(z.array(z.union([z.boolean(), z.string(), z.null()]))),
        final: z.record(z.string(), z.string()),
        alloc: z.array(z.tuple([count, count])),
        lastPfn: count.optional(),
        maxPfn: count.optional(),
        flags: z.array(z.string()),
      }),
      schedule: z.array(z.tuple([z.string(), z.string()])),
      switches: count,
    }),
  ),
});

/** A concurrency vector, read and checked. */
export interface ConcurrencyVector extends Pick<
  z.infer<typeof vectorSchema>,
  'initial' | 'interleavings' | 'violating' | 'outcomes'
> {
  readonly file: string;
  readonly scenario: Scenario;
}

/** Whether the text is one JSON object with threads: a concurrency vector, or meant to be one. */
export function isConcurrencyVector(text: string): boolean {
  try {
    const json: unknown = JSON.parse(text);
    return typeof json === 'object' && json !== null && 'threads' in json;
  } catch {
    // A sequential vector has many lines, and what is no JSON is for its reader to refuse.
    return false;
  }
}

/** Reads a concurrency vector. @throws P2mError with the file where it is not one */
export function readConcurrencyVector(text: string, file: string): ConcurrencyVector {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw inputError('bad JSON in a concurrency vector', { file, got: (error as Error).message });
  }
  const result = vectorSchema.safeParse(json);
  if (!result.success) {
    const issue = result.error.issues[0]!;
    throw inputError('bad concurrency vector', { file, got: `${issue.path.join('.')}: ${issue.message}` });
  }
  const { initial, interleavings, violating, outcomes } = result.data;
  try {
    return { file, scenario: scenarioOf(result.data), initial, interleavings, violating, outcomes };
  } catch (error) {
    if (!(error instanceof P2mError)) throw error;
    throw inputError(error.message, { file });
  }
}

import { z } from 'zod';
import { commColumns } from './comm.js';
import { inputError, type Place } from './errors.js';
import { KINDS, type FieldType, type KindName } from './kinds.js';
import { NAMES } from './names.js';
import {
  CPU_MAX,
  expectedOf,
  fieldsOf,
  INT_MIN,
  PAGE_MAX,
  PTE_PATTERN,
  UNSIGNED_MAX,
  WORD_PATTERN,
  type P2mEvent,
} from './view.js';

const raw = z.string().regex(WORD_PATTERN);
const word = z.union([z.literal('fault'), raw]);
const int = z.int().min(INT_MIN).max(UNSIGNED_MAX);

const FIELD_SCHEMAS: Readonly<Record<Exclude<FieldType, keyof typeof NAMES>, z.ZodType>> = {
  pfn: z.int().min(0).max(UNSIGNED_MAX),
  pfn64: z.int().min(0),
  time: z.int().min(0),
  comm: z.string().refine((text) => commColumns(text) !== undefined),
  word,
  pte: z.union([z.literal('none'), z.string().regex(PTE_PATTERN)]),
  page: z.int().min(0).max(PAGE_MAX),
  int,
  payload: z.array(z.tuple([z.int().min(1).max(UNSIGNED_MAX), raw, int])),
  either: z.union([int, word]),
};

const ENVELOPE = {
  seq: { schema: z.int().min(0), expected: 'a whole number from 0 to below 2^53' },
  cpu: { schema: z.int().min(0).max(CPU_MAX), expected: `a whole number from 0 to ${CPU_MAX}` },
  op: { schema: z.int().min(0).max(UNSIGNED_MAX), expected: `a whole number from 0 to ${UNSIGNED_MAX}` },
} as const;

const KIND_NAMES = Object.keys(KINDS) as KindName[];

/**
 * The shape of an event as JSON: one strict object a kind. Checked beyond it, by `pushEvent`: that a raw entry fits the
 * entries of the log, and that a field that can be either is a raw entry where it has to be.
 */
export const eventSchema = z
  .discriminatedUnion('kind', KIND_NAMES.map(kindSchema) as [ReturnType<typeof kindSchema>])
  .meta({ title: 'P2mEvent', description: 'An event of the Xen PV p2m list' }) as unknown as z.ZodType<P2mEvent>;

function kindSchema(kind: KindName): z.ZodObject<{ kind: z.ZodLiteral<KindName> }> {
  const shape: Record<string, z.ZodType> = {};
  for (const [name, { schema }] of Object.entries(ENVELOPE)) shape[name] = schema;
  for (const field of fieldsOf(kind)) shape[field.name] = fieldSchema(field.type);
  return z.strictObject({ ...shape, kind: z.literal(kind) }).meta({ description: KINDS[kind].doc });
}

function fieldSchema(type: FieldType): z.ZodType {
  return type in NAMES ? z.enum(NAMES[type as keyof typeof NAMES]) : FIELD_SCHEMAS[type as keyof typeof FIELD_SCHEMAS];
}

/** The JSON Schema (2020-12) of an event, for whoever reads our JSON without our code. */
export function eventJsonSchema(): object {
  return z.toJSONSchema(eventSchema);
}

/**
 * An event from JSON that somebody else wrote. `place` is where it stood, for the complaint.
 * @throws P2mError that names the field, what it held, and what it can hold
 */
export function parseEvent(json: unknown, place: Place = {}): P2mEvent {
  const parsed = eventSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    throw inputError('no event', { ...place, got: show(json), expected: 'an object with seq, cpu, op and kind' });
  }
  const [issue] = parsed.error.issues;
  if (issue?.code === 'unrecognized_keys') {
    const { kind } = json as { kind: KindName };
    const known = [...Object.keys(ENVELOPE), 'kind', ...fieldsOf(kind).map((field) => field.name)];
    throw inputError(`unknown field of ${kind}`, {
      ...place,
      got: issue.keys.map(show).join(', '),
      expected: known.join(', '),
    });
  }
  const path = issue?.path ?? [];
  const name = String(path[0]);
  throw inputError(`bad ${path.map((step, i) => (i > 0 ? `[${String(step)}]` : String(step))).join('')}`, {
    ...place,
    got: show(path.reduce<unknown>((at, step) => (at as Record<PropertyKey, unknown>)[step], json)),
    expected: expectedAt(json, name),
  });
}

function expectedAt(json: object, name: string): string {
  if (name === 'kind') return KIND_NAMES.join(', ');
  if (name in ENVELOPE) return ENVELOPE[name as keyof typeof ENVELOPE].expected;
  const { kind } = json as { kind: KindName };
  return expectedOf(fieldsOf(kind).find((field) => field.name === name)!.type);
}

function show(value: unknown): string {
  return value === undefined ? 'nothing' : JSON.stringify(value);
}

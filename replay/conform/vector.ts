import { z } from 'zod';
import { EntryCodec, inputError, P2mError } from '../../events/index.js';
import { formByKernel, geometryByName, type Form, type Geometry } from '../../src/index.js';

const value = z.string();
const pfn = z.int().nonnegative();
const count = z.int().nonnegative();

/** An operation of a sequential vector (vectors/README.md, "Ops"). */
const opSchema = z.discriminatedUnion('op', [
  z.strictObject({ op: z.literal('limit'), gb: count }),
  z.strictObject({ op: z.literal('flags'), flags: z.int() }),
  z.strictObject({
    op: z.literal('boot'),
    nrPages: z.int().positive(),
    garbage: value,
    mfns: z.array(z.tuple([pfn, count, value, z.int()])),
  }),
  z.strictObject({ op: z.literal('identity'), start: pfn, end: pfn }),
  z.strictObject({ op: z.literal('extra'), ranges: z.array(z.tuple([pfn, count])) }),
  z.strictObject({ op: z.literal('rebuild') }),
  z.strictObject({ op: z.literal('buildTree') }),
  z.strictObject({ op: z.literal('setupShared') }),
  z.strictObject({ op: z.literal('slab') }),
  z.strictObject({ op: z.literal('failAt'), n: z.int().positive() }),
  z.strictObject({ op: z.literal('failFrom'), n: z.int().positive() }),
  z.strictObject({ op: z.literal('noFail') }),
  z.strictObject({ op: z.literal('set'), pfn, val: value }),
  z.strictObject({ op: z.literal('rawSet'), pfn, val: value }),
  z.strictObject({ op: z.literal('setRun'), pfn, count, val: value, stride: z.int() }),
  z.strictObject({ op: z.literal('get'), pfn }),
  z.strictObject({ op: z.literal('lookup'), pfn }),
  z.strictObject({ op: z.literal('pfnToMfn'), pfn }),
  z.strictObject({ op: z.literal('dump'), start: pfn, count, structs: z.boolean().optional() }),
]);

/** One operation. */
export type VectorOp = z.infer<typeof opSchema>;

const lineSchema = z.strictObject({ op: opSchema, out: z.record(z.string(), z.json()) });

const headerSchema = z.looseObject({
  vector: z.string(),
  profile: z.string(),
  format: z.literal(1),
  ops: count,
});

/** A step of a vector: what to do and what the kernel's code gave. */
export interface VectorLine {
  /** 1-based line in the file. */
  readonly line: number;
  readonly op: VectorOp;
  readonly out: Readonly<Record<string, unknown>>;
}

/** A sequential vector, read and checked. */
export interface Vector {
  readonly file: string;
  readonly name: string;
  readonly form: Form;
  readonly geometry: Geometry;
  readonly lines: readonly VectorLine[];
}

/** Reads a sequential vector. @throws P2mError with file and line where it is not one. */
export function readVector(text: string, file: string): Vector {
  const texts = text.split('\n');
  if (texts.at(-1) === '') texts.pop();
  if (texts.length === 0) throw inputError('empty vector', { file, expected: 'a header line' });
  const header = check(headerSchema, texts[0]!, file, 1, 'header');
  if (texts.length - 1 !== header.ops) {
    throw inputError('cut vector', { file, got: `${texts.length - 1} operations`, expected: `${header.ops}` });
  }
  const { form, geometry } = profile(header.profile, file);
  const codec = new EntryCodec(geometry.entryBits);
  const lines = texts.slice(1).map((line, i): VectorLine => {
    const parsed = check(lineSchema, line, file, i + 2, 'operation');
    checkValues(parsed.op, codec, file, i + 2);
    return { line: i + 2, op: parsed.op, out: parsed.out };
  });
  return { file, name: header.vector, form, geometry, lines };
}

/** `v3.19.8-pae` is the form of 3.19.8 on x86_32 PAE; `v3.19-rc` the one of 3.19-rc1. */
function profile(name: string, file: string): { form: Form; geometry: Geometry } {
  const match = /^v(.+?)(-pae)?$/.exec(name);
  try {
    if (match === null) throw inputError('no version');
    const kernel = match[1]!.replace(/-rc$/, '-rc1');
    return { form: formByKernel(kernel), geometry: geometryByName(match[2] === undefined ? 'x86_64' : 'x86_32') };
  } catch (error) {
    if (!(error instanceof P2mError)) throw error;
    throw inputError('unknown profile', {
      file,
      line: 1,
      got: JSON.stringify(name),
      expected: 'v and a kernel version, with -pae for 32 bit',
    });
  }
}

/** Values are strings to the schema; here each must be a value of this entry size. */
function checkValues(op: VectorOp, codec: EntryCodec, file: string, line: number): void {
  try {
    if (op.op === 'set' || op.op === 'rawSet' || op.op === 'setRun') codec.parse(op.val);
    if (op.op === 'boot') {
      codec.fromHex(op.garbage);
      for (const [, , text] of op.mfns) codec.parse(text);
    }
  } catch (error) {
    if (error instanceof P2mError) throw inputError(error.message, { file, line });
    throw error;
  }
}

function check<T>(schema: z.ZodType<T>, text: string, file: string, line: number, what: string): T {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw inputError(`bad JSON in a vector's ${what}`, { file, line, got: (error as Error).message, text });
  }
  const result = schema.safeParse(json);
  if (result.success) return result.data;
  const issue = result.error.issues[0]!;
  const path = issue.path.join('.');
  throw inputError(`bad ${what}`, { file, line, got: `${path === '' ? '' : `${path}: `}${issue.message}`, text });
}

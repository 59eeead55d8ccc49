import { z } from 'zod';
import { AssertionError, inputError, type Place } from '../errors.js';

/** What an event log says of its events, before the first of them. The same facts in every format. */
export interface EventsHeader {
  /** Name of the geometry, such as `x86_64`. */
  readonly geometry: string;
  /** Name of the kernel form, such as `5.17`. */
  readonly kernel: string;
  readonly entryBits: 32 | 64;
  /** What the memory was laid out for: page numbers mean something only in a memory of the same. */
  readonly capacity?: {
    readonly nrPages: number;
    readonly areaPfns: number;
    readonly cpus: number;
    readonly pools: number;
    readonly sparePages: number;
    readonly m2pFrames: number;
  };
  /** Where the events come from, in words. */
  readonly origin?: string;
}

const headerSchema = z.strictObject({
  geometry: z.string().min(1),
  kernel: z.string().min(1),
  entryBits: z.union([z.literal(32), z.literal(64)]),
  capacity: z
    .strictObject({
      nrPages: z.int().min(1),
      areaPfns: z.int().min(0),
      cpus: z.int().min(1),
      pools: z.int().min(1),
      sparePages: z.int().min(0),
      m2pFrames: z.int().min(0),
    })
    .exactOptional(),
  origin: z.string().exactOptional(),
});

/**
 * The header from JSON that somebody else wrote, its facts in the order of `EventsHeader`: printed again, it is one text.
 * @throws {P2mError} that names the fact and what it can be
 */
export function parseFacts(json: unknown, place: Place): EventsHeader {
  const parsed = headerSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0]!;
  const path = issue.path.join('.');
  throw inputError(`bad header${path === '' ? '' : `: ${path}`}`, { ...place, expected: issue.message });
}

/** A header of our own, its facts in the order of `EventsHeader`. @throws AssertionError where it says what none can say */
export function orderedFacts(header: EventsHeader): EventsHeader {
  const parsed = headerSchema.safeParse(header);
  if (parsed.success) return parsed.data;
  throw new AssertionError(`a header of events says ${JSON.stringify(header)}: ${parsed.error.issues[0]!.message}`);
}

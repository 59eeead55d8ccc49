/** An event of a trace, as the JSON Trace Event Format has it. */
export interface TraceEvent {
  readonly ph: string;
  readonly name?: string;
  readonly cat?: string;
  readonly pid: number;
  readonly tid: number;
  readonly ts?: number;
  readonly dur?: number;
  readonly s?: string;
  readonly id?: number;
  readonly bp?: string;
  readonly args?: Readonly<Record<string, unknown>>;
}

interface Span {
  readonly name: string;
  readonly from: number;
  readonly to: number;
}

/** What each phase must have, and may have, beside `ph`, `pid` and `tid`. */
const FIELDS: Readonly<Record<string, { readonly must: readonly string[]; readonly may: readonly string[] }>> = {
  M: { must: ['name', 'args'], may: [] },
  X: { must: ['name', 'cat', 'ts', 'dur', 'args'], may: [] },
  B: { must: ['name', 'cat', 'ts', 'args'], may: [] },
  E: { must: ['ts'], may: [] },
  i: { must: ['name', 'cat', 'ts', 's', 'args'], may: [] },
  s: { must: ['name', 'cat', 'ts', 'id'], may: [] },
  f: { must: ['name', 'cat', 'ts', 'id', 'bp'], may: [] },
};

const ns = (microseconds: number): number => Math.round(microseconds * 1000);

/** What is wrong with a trace: fields that the format has not got, tracks without a name, slices that overlap without nesting. */
export function traceFaults(events: readonly TraceEvent[]): string[] {
  const named = new Set(events.filter(({ name }) => name === 'thread_name').map(({ tid }) => tid));
  const shapes = events.flatMap((event) => shapeFaults(event, named));
  return [...shapes, ...[...named].flatMap((tid) => overlaps(events.filter((event) => event.tid === tid)))];
}

function shapeFaults(event: TraceEvent, named: ReadonlySet<number>): string[] {
  const fields = FIELDS[event.ph];
  if (fields === undefined) return [`no phase ${event.ph}`];
  const known = ['ph', 'pid', 'tid', ...fields.must, ...fields.may];
  const faults = fields.must.filter((field) => !(field in event)).map((field) => `${event.ph} without ${field}`);
  faults.push(
    ...Object.keys(event)
      .filter((field) => !known.includes(field))
      .map((field) => `${event.ph} with ${field}`),
  );
  for (const time of [event.ts, event.dur]) {
    if (time !== undefined && (time < 0 || Math.abs(time * 1000 - ns(time)) > 1e-3)) faults.push(`time ${time}`);
  }
  if (event.ph !== 'M' && !named.has(event.tid)) faults.push(`track ${event.tid} has no name`);
  return faults;
}

/** Slices of one track that neither follow each other nor stand one in the other. */
function overlaps(events: readonly TraceEvent[]): string[] {
  const faults: string[] = [];
  const spans: Span[] = [];
  const open: TraceEvent[] = [];
  for (const event of events) {
    if (event.ph === 'X') spans.push({ name: event.name!, from: ns(event.ts!), to: ns(event.ts!) + ns(event.dur!) });
    if (event.ph === 'B') open.push(event);
    if (event.ph !== 'E') continue;
    const begun = open.pop();
    if (begun === undefined) faults.push('E without B');
    else spans.push({ name: begun.name!, from: ns(begun.ts!), to: ns(event.ts!) });
  }
  for (const { name } of open) faults.push(`${name} has no end`);
  spans.sort((a, b) => a.from - b.from || b.to - a.to);
  const stack: Span[] = [];
  for (const span of spans) {
    while (stack.length > 0 && stack.at(-1)!.to <= span.from) stack.pop();
    const outer = stack.at(-1);
    if (outer !== undefined && outer.to < span.to) faults.push(`${span.name} overlaps ${outer.name}`);
    stack.push(span);
  }
  return faults;
}

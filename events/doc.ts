import { KINDS, type FieldType, type KindName } from './kinds.js';
import { NAMES } from './names.js';
import { expectedOf, fieldsOf } from './view.js';

const IN_BATCH: Readonly<Record<Exclude<FieldType, keyof typeof NAMES>, string>> = {
  pfn: 'the pfn',
  pfn64: 'two columns: lower and upper 32 bits of the pfn',
  time: 'two columns: lower and upper 32 bits of the time',
  comm: 'four columns: 16 bytes, the lowest first, zeros behind the name',
  word: 'a tagged word (`events/word.ts`)',
  pte: 'page << 2, bit 1 writable, bit 0 present; 0 none',
  page: 'page number, 0 none',
  int: 'the integer',
  payload: 'offset of a payload record of the batch',
  either: 'a tagged word or the integer',
};

const HEAD = `# Events

<!-- Generated from events/kinds.ts by eventsDoc(); after a change there: npx vitest run test/events/doc -u -->

Everything that changes modelled memory is an event, and so is what an operation was asked and answered. In memory, events
are rows of integer columns (\`EventBatch\`): kind, cpu, op and up to five operands \`a\` to \`e\`, which stand below in the order
of the fields. At the edges an event is an object (\`P2mEvent\`), as JSON:

\`\`\`json
{ "seq": 7, "cpu": 0, "op": 2, "kind": "set_entry", "pfn": 5, "page": 31, "old": "0xffffffffffffffff", "new": "0x4d" }
\`\`\`

\`seq\` is its place in the log, from 0; \`cpu\` did it; \`op\` is the number of the operation it belongs to, which its \`call\` opens
and its \`return\` ends. Raw entries are hexadecimal strings, for IDENTITY is bit 62 and FOREIGN bit 63: a JSON number and jq
lose them. A text of events (JSONL) has a header line, \`{"format":"p2m-events","version":1,...}\`, then a line an event, \`seq\`
counting up by one, then a last line that counts them, \`{"end":true,"events":N}\`: a text without it is cut. No line is
longer than 8 MiB. The binary log is described in [log-format.md](log-format.md).
`;

/** The reference of the event kinds, as Markdown: docs/events.md. */
export function eventsDoc(): string {
  const kinds = Object.keys(KINDS) as KindName[];
  const types = Object.keys(IN_BATCH) as (keyof typeof IN_BATCH)[];
  return [
    HEAD,
    '## Kinds that change memory\n',
    kindTable(kinds.filter((kind) => KINDS[kind].mutates)),
    '## Observations\n',
    'They change nothing.\n',
    kindTable(kinds.filter((kind) => !KINDS[kind].mutates)),
    '## Types of fields\n',
    table(
      ['type', 'in the batch', 'in the view and in JSON'],
      types.map((type) => [type, IN_BATCH[type], expectedOf(type)]),
    ),
    ...Object.entries(NAMES).map(
      ([type, names]) => `\`${type}\` is one of: ${names.map((name, i) => `${i} \`${name}\``).join(', ')}.\n`,
    ),
  ].join('\n');
}

function kindTable(kinds: readonly KindName[]): string {
  return table(
    ['id', 'kind', 'fields', 'meaning'],
    kinds.map((kind) => [
      String(KINDS[kind].id),
      `\`${kind}\``,
      fieldsOf(kind)
        .map(({ name, type }) => (name === type ? `\`${name}\`` : `\`${name}\` (${type})`))
        .join(', '),
      KINDS[kind].doc,
    ]),
  );
}

/** A table with its columns aligned, as prettier writes it. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((_, column) => Math.max(3, ...[head, ...rows].map((row) => row[column]!.length)));
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column]!)).join(' | ')} |\n`;
  return line(head) + line(widths.map((width) => '-'.repeat(width))) + rows.map(line).join('');
}

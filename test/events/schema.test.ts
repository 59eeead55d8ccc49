import { describe, expect, it } from 'vitest';
import { eventJsonSchema, fieldsOf, KINDS, type KindName } from '../../events/index.js';

interface ObjectSchema {
  readonly properties: Readonly<Record<string, { const?: string; enum?: readonly string[]; pattern?: string }>>;
  readonly required: readonly string[];
  readonly additionalProperties: boolean;
}

const { oneOf } = eventJsonSchema() as { oneOf: readonly ObjectSchema[] };

describe('eventJsonSchema', () => {
  it('has one strict object a kind, with its fields and no more', () => {
    expect(oneOf.map((schema) => schema.properties['kind']?.const)).toEqual(Object.keys(KINDS));
    for (const schema of oneOf) {
      const kind = schema.properties['kind']!.const as KindName;
      const names = ['seq', 'cpu', 'op', 'kind', ...fieldsOf(kind).map((field) => field.name)].sort();
      expect([...schema.required].sort()).toEqual(names);
      expect(Object.keys(schema.properties).sort()).toEqual(names);
      expect(schema.additionalProperties).toBe(false);
    }
  });

  it('lists the names of an enumerated field', () => {
    const fault = oneOf.find((schema) => schema.properties['kind']?.const === 'fault');
    expect(fault?.properties['access']?.enum).toEqual(['read', 'write']);
  });
});

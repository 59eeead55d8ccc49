import { createHash } from 'node:crypto';
import { scenarioJson, scenarioOf } from '../scenario/read_scenario.js';
import type { Scenario } from '../scenario/scenario.js';

/**
 * Hash of a scenario for tokens: of all that its JSON says, and of what the JSON cannot say: switches of the kernel's form
 * that are flipped, and machines of one's own, by their names and rows. What a row does inside is not seen.
 *
 * @returns 8 hex digits
 */
export function scenarioHash(scenario: Scenario): string {
  const json = scenarioJson(scenario);
  const { form } = scenarioOf(json);
  const flipped = Object.entries(scenario.form).filter(([name, value]) => form[name as keyof typeof form] !== value);
  const machines = Object.entries(scenario.machines).map(
    ([name, { name: own, rows }]) => [name, { own, rows }] as const,
  );
  return contentHash({ ...json, form: Object.fromEntries(flipped), machines: Object.fromEntries(machines) });
}

/**
 * Hash for tokens of whatever JSON describes a program of one's own. The order of an object's fields does not matter.
 *
 * @returns 8 hex digits: the first of the SHA-256 over the JSON with sorted fields
 */
export function contentHash(content: unknown): string {
  return createHash('sha256')
    .update(JSON.stringify(sorted(content)))
    .digest('hex')
    .slice(0, 8);
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const fields = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(fields.map(([name, field]) => [name, sorted(field)]));
}

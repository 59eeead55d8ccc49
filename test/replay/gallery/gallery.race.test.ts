import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { GALLERY, runEntry, scenarioOf } from '../../../replay/index.js';

const DEFECTS = '../shared/p2m/known-defects.md';

const runnable = GALLERY.filter(({ scenario }) => scenario !== undefined);

describe('GALLERY', () => {
  test('names each entry once', () => {
    const names = GALLERY.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
  });

  test('has each corrected defect, or says what it lacks to be run', () => {
    const numbers = Array.from({ length: 18 }, (_, i) => `B${i + 1}`).concat('B0a', 'B0b', 'B0c', 'B0d', 'B0e');
    const missing = numbers.filter((number) => !GALLERY.some(({ defect }) => defect === number));
    expect(missing).toEqual([]);
    expect(GALLERY.filter(({ scenario, needs }) => (scenario === undefined) === (needs === undefined))).toEqual([]);
  });

  test.skipIf(!existsShared())('knows no other number than the list of defects', () => {
    const text = readFileSync(DEFECTS, 'utf8');
    const unknown = GALLERY.filter(({ defect }) => defect !== 'new' && !text.includes(`| ${defect} |`));
    expect(unknown.map(({ name }) => name)).toEqual([]);
  });

  test('expects of each corrected defect that some kernel has it, and of some that it has it no more', () => {
    for (const { name, defect, expect: expected } of runnable) {
      const verdicts = Object.values(expected);
      expect(verdicts, name).toContain('violated');
      if (defect !== 'new') expect(verdicts, name).toContain('ok');
    }
  });

  test('begins with a kernel that has the defect', () => {
    for (const { scenario, expect: expected, name } of runnable) {
      expect(expected[scenario!.kernel] ?? 'violated', name).toBe('violated');
      expect(() => scenarioOf(scenario!)).not.toThrow();
    }
  });
});

describe.each(runnable)('$defect $name', (entry) => {
  test('is there under the kernels that have it, and proven absent under the others', () => {
    const found = [...runEntry(entry)].map(({ kernel, exploration }) => [kernel, exploration.verdict]);
    expect(Object.fromEntries(found)).toEqual(entry.expect);
  });
});

function existsShared(): boolean {
  try {
    readFileSync(DEFECTS);
    return true;
  } catch {
    return false;
  }
}

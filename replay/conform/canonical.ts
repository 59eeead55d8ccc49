/** JSON with the keys of objects in order, so that equal values are equal texts. */
export function canonical(value: unknown): string {
  if (value === undefined) return 'nothing';
  return JSON.stringify(value, (_, v: unknown) =>
    v !== null && typeof v === 'object' && !Array.isArray(v)
      ? Object.fromEntries(Object.entries(v).sort(([a], [b]) => (a < b ? -1 : 1)))
      : v,
  );
}

// Values that JSON can say, and one way of writing each.

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** The text of a value with its keys sorted: equal values, whatever the order of their keys, have the same. */
export function canonical(value: unknown): string {
  return JSON.stringify(value ?? null, (_key, part) => (isObject(part) ? sorted(part) : part));
}

export function isObject(value: unknown): value is Record<string, any> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function sorted(table: Record<string, unknown>): Record<string, unknown> {
  const names = Object.keys(table).sort();
  return Object.fromEntries(names.map((name) => [name, table[name]]));
}

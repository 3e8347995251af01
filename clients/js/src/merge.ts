// JSON Merge Patch, RFC 7396: what has changed in a document, as a document.

type Fields = Record<string, unknown>;

/** Applies a patch; what is given stays as it is. */
export function merge(target: unknown, patch: unknown): unknown {
  if (!isFields(patch)) return patch;
  const merged = new Map(Object.entries(isFields(target) ? target : {}));
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) merged.delete(name);
    else merged.set(name, merge(merged.get(name), value));
  }
  return Object.fromEntries(merged); // also where a field is called __proto__
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

// Texts that fit what a schema says of them.

import { base64, form } from "./formats.js";
import { compiled, texts } from "./pattern.js";
import type { Keywords } from "./schema.js";
import type { Seed } from "./seed.js";
import { named } from "./words.js";

const TRIES = 200;
/** How often more than asked for something repeats, from try to try: most texts should be short. */
const SPREADS = [2, 3, 3, 4, 6, 0, 12, 30];

/** A text that fits; the nearest to it if none is found, as the pattern may be one that no text fits. */
export function text(schema: Keywords, name: string, seed: Seed): string {
  const known = form(schema);
  if (schema.contentEncoding === "base64") {
    return base64(size(schema), seed);
  }
  if (known) {
    return known.write(seed);
  }
  if (schema.pattern !== undefined) {
    return matching(schema.pattern, schema, seed);
  }
  return fitted(named(name, seed), schema, seed);
}

function matching(pattern: string, schema: Keywords, seed: Seed): string {
  const write = texts(pattern);
  const expression = compiled(pattern);
  const { minLength = 0, maxLength = Infinity } = schema;
  let found = "";
  for (let attempt = 0; attempt < TRIES; attempt++) {
    found = write(seed, SPREADS[attempt % SPREADS.length]! + (attempt % 2) * minLength);
    const longer = filled(found, schema, seed);
    const choices = [found, longer, filled(found, schema, seed) + found];
    const fit = choices.find((each) => {
      const length = [...each].length;
      return length >= minLength && length <= maxLength && (expression?.test(each) ?? true);
    });
    if (fit !== undefined) {
      return fit;
    }
  }
  return found;
}

/** A text cut, or filled up, to the length that is asked for. */
function fitted(found: string, schema: Keywords, seed: Seed): string {
  return filled(found.slice(0, schema.maxLength).trim(), schema, seed);
}

function filled(found: string, { minLength = 0 }: Keywords, seed: Seed): string {
  const missing = Math.max(minLength - found.length, 0);
  return found + Array.from({ length: missing }, () => seed.pick([..."aeiloprstu"])).join("");
}

/**
 * How many bytes to write in base64. The schema bounds the characters, four for three bytes, so the plug's own bounds
 * are known up to two bytes: the number with the most twos in it is the likeliest, as of a hash or a key.
 */
function size({ minLength = 0, maxLength = Infinity }: Keywords): number {
  const low = Math.max(minLength / 4, 0);
  const high = Math.floor(maxLength / 4);
  if (low < high) {
    return low === 0 ? Math.min(12, 3 * (high - 1) + 1) : 3 * low;
  }
  const choices = low === 0 ? [0] : [3 * low - 2, 3 * low - 1, 3 * low];
  return choices.reduce((best, each) => (twos(each) > twos(best) ? each : best));
}

function twos(count: number): number {
  return count & -count;
}

// Numbers within what a schema allows, of a size that the field's name suggests.

import type { Keywords } from "./schema.js";
import type { Seed } from "./seed.js";

/** The largest whole number that a browser holds without rounding. */
const LARGEST = Number.MAX_SAFE_INTEGER;
const TRIES = 50;

const BY_NAME: [RegExp, number, number][] = [
  [/(^|_)year$/, 2015, 2030],
  [/(^|_)age$/, 18, 90],
  [/(^|_)(count|quantity|amount|size|level|stars|rating)$/, 1, 20],
  [/(^|_)(id|number|no)$/, 1, 9999],
  [/(^|_)(percent|percentage|progress)$/, 0, 100],
  [/(^|_)(lat|latitude)$/, -60, 60],
  [/(^|_)(lon|lng|longitude)$/, -180, 180],
  [/(share|ratio|probability)$/, 0, 1],
];
const USUAL: [number, number] = [1, 100];

/** A whole number that fits; the nearest to it if there is none. */
export function whole(schema: Keywords, name: string, seed: Seed): number {
  const step = Number.isInteger(schema.multipleOf) ? schema.multipleOf! : 1;
  const low = Math.max(Math.ceil(schema.minimum ?? -LARGEST), Math.floor((schema.exclusiveMinimum ?? -LARGEST) + 1));
  const high = Math.min(Math.floor(schema.maximum ?? LARGEST), Math.ceil((schema.exclusiveMaximum ?? LARGEST) - 1));
  const [from, to] = nice(low, high, name);
  const inside: [number, number] = [Math.ceil(from / step), Math.floor(to / step)];
  const [first, last] = inside[0] <= inside[1] ? inside : [Math.ceil(low / step), Math.floor(high / step)];
  return step * seed.whole(first, Math.max(first, Math.min(last, first + 1000))) || 0; // never -0, which JSON can say
}

/** Any number that fits, with two decimals if that is possible. */
export function real(schema: Keywords, name: string, seed: Seed): number {
  const low = Math.max(schema.minimum ?? -Infinity, schema.exclusiveMinimum ?? -Infinity);
  const high = Math.min(schema.maximum ?? Infinity, schema.exclusiveMaximum ?? Infinity);
  const [from, to] = nice(low, high, name);
  const exact = Array.from({ length: TRIES }, () => seed.between(from, to));
  const round = exact.map((each) => Math.round(each * 100) / 100);
  const steps = schema.multipleOf === undefined ? [] : exact.map((each) => stepped(each, schema.multipleOf!));
  const choices = [...steps, ...round, ...exact, from, to, 0];
  return (choices.find((each) => fits(each, schema)) ?? from) || 0;
}

/** Does a number lie within the bounds, and on a step? Both as a remainder and as a quotient, as validators differ. */
export function fits(value: number, schema: Keywords): boolean {
  const step = schema.multipleOf;
  return (
    value >= (schema.minimum ?? -Infinity) &&
    value <= (schema.maximum ?? Infinity) &&
    value > (schema.exclusiveMinimum ?? -Infinity) &&
    value < (schema.exclusiveMaximum ?? Infinity) &&
    (step === undefined || (Number.isInteger(value / step) && value % step === 0))
  );
}

function stepped(value: number, step: number): number {
  return Number((Math.round(value / step) * step).toPrecision(12));
}

/** What of the bounds looks like what the name says; a piece at one of the bounds if that lies outside of them. */
function nice(low: number, high: number, name: string): [number, number] {
  const plain = name.replaceAll(/([a-z0-9])([A-Z])/g, "$1_$2").toLowerCase();
  const [, from, to] = BY_NAME.find(([pattern]) => pattern.test(plain)) ?? [null, ...USUAL];
  if (Math.max(low, from) < Math.min(high, to)) {
    return [Math.max(low, from), Math.min(high, to)];
  }
  return low > from ? [low, Math.min(high, low + 100)] : [Math.max(low, high - 100), high];
}

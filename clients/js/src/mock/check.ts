// Whether a value fits a schema, and where not: with the words and paths of msgspec, as the server says it.

import { form } from "./formats.js";
import { canonical, isObject } from "./json.js";
import { fits } from "./numbers.js";
import { compiled } from "./pattern.js";
import { type Keywords, type Schema, type Type, type Types, typesOf } from "./schema.js";

/** The first place where a value does not fit. */
export interface Misfit {
  message: string;
  /** As `$.items[2].count`. */
  path: string;
  /** It is another kind of value altogether than what stands there. */
  isOther?: boolean;
  /** It is not the one value that is asked for, as a tag is. */
  isTag?: boolean;
}

type Found = Misfit | undefined;
type Check = (schema: Keywords, value: any, path: string, types: Types) => Found;

/** Find where a value does not fit; undefined if it does. */
export function misfit(schema: Schema, value: unknown, types: Types, path = "$"): Found {
  const known = types.resolve(schema);
  if (typeof known === "boolean") {
    return known ? undefined : { message: "Expected nothing here", path };
  }
  return first(CHECKS, (check) => check(known, value, path, types));
}

const chosen: Check = (schema, value, path, types) => {
  const choices = schema.anyOf ?? schema.oneOf;
  if (!choices) {
    return undefined;
  }
  const found = choices.map((each) => misfit(each, value, types, path));
  return found.every((each) => each) ? clearest(found as Misfit[], value, path, choices, types) : undefined;
};

/** Of what is wrong with each choice, what a person would say: what is wrong with the one that was meant. */
function clearest(found: Misfit[], value: unknown, path: string, choices: Schema[], types: Types): Misfit {
  const near = found.filter((each) => !each.isOther || each.path !== path);
  const expected = choices.map((each) => named(types.resolve(each))).join(" | ");
  return near.find((each) => !each.isTag) ?? near[0] ?? other(expected, value, path);
}

const typed: Check = (schema, value, path) => {
  const types = typesOf(schema);
  const is = typeOf(value);
  const fit = types.length === 0 || types.includes(is) || (is === "integer" && types.includes("number"));
  return fit ? undefined : other(named(schema), value, path);
};

const listed: Check = (schema, value, path) => {
  const choices = "const" in schema ? [schema.const!] : schema.enum;
  if (!choices || choices.some((each) => canonical(each) === canonical(value))) {
    return undefined;
  }
  const isTag = choices.length === 1;
  return { message: `Invalid ${isTag ? "value" : "enum value"} ${quoted(value)}`, path, isTag };
};

const bounded: Check = (schema, value, path) => {
  if (typeof value !== "number" || fits(value, schema)) {
    return undefined;
  }
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf } = schema;
  const bounds = [
    ...said(">=", minimum),
    ...said(">", exclusiveMinimum),
    ...said("<=", maximum),
    ...said("<", exclusiveMaximum),
    ...said("that's a multiple of", multipleOf),
  ];
  return { message: `Expected \`${named(schema)}\` ${bounds.join(", ")}`, path };
};

const written: Check = (schema, value, path) => {
  if (typeof value !== "string") {
    return undefined;
  }
  const length = [...value].length;
  const known = form(schema);
  if (known && !known.fits.test(value)) {
    return { message: known.invalid, path };
  }
  if (length < (schema.minLength ?? 0) || length > (schema.maxLength ?? Infinity)) {
    return { message: `Expected \`str\` of length ${range(schema.minLength, schema.maxLength)}`, path };
  }
  const fit = known || schema.pattern === undefined || (compiled(schema.pattern)?.test(value) ?? true);
  return fit ? undefined : { message: `Expected \`str\` matching regex '${schema.pattern}'`, path };
};

const lined: Check = (schema, value, path, types) => {
  if (!Array.isArray(value)) {
    return undefined;
  }
  const { prefixItems = [], items = true, minItems = 0 } = schema;
  const high = items === false ? Math.min(prefixItems.length, schema.maxItems ?? Infinity) : schema.maxItems;
  if (value.length < minItems || value.length > (high ?? Infinity)) {
    return { message: `Expected \`array\` of length ${range(schema.minItems, high)}`, path };
  }
  if (schema.uniqueItems && new Set(value.map(canonical)).size < value.length) {
    return { message: "Expected items that differ from each other", path };
  }
  return first([...value.entries()], ([at, item]) => misfit(prefixItems[at] ?? items, item, types, `${path}[${at}]`));
};

const keyed: Check = (schema, value, path, types) => {
  if (!isObject(value)) {
    return undefined;
  }
  const missing = schema.required?.find((name) => !Object.hasOwn(value, name));
  if (missing !== undefined) {
    return { message: `Object missing required field \`${missing}\``, path };
  }
  const count = Object.keys(value).length;
  if (count < (schema.minProperties ?? 0) || count > (schema.maxProperties ?? Infinity)) {
    return { message: `Expected \`object\` of length ${range(schema.minProperties, schema.maxProperties)}`, path };
  }
  return first(Object.entries(value), (entry) => field(schema, entry, path, types));
};

function field(schema: Keywords, [name, value]: [string, any], path: string, types: Types): Found {
  const { properties = {}, additionalProperties = true, propertyNames = true } = schema;
  const isKnown = Object.hasOwn(properties, name);
  if (!isKnown && additionalProperties === false) {
    return { message: `Object contains unknown field \`${name}\``, path };
  }
  const key = misfit(propertyNames, name, types, `${path}[...]`);
  const inner = `${path}${isKnown ? `.${name}` : "[...]"}`; // the key of a table is somebody's text
  return key ?? misfit(isKnown ? properties[name]! : additionalProperties, value, types, inner);
}

const CHECKS: Check[] = [chosen, typed, listed, bounded, written, lined, keyed];

const NAMES: Record<Type, string> = {
  null: "null",
  boolean: "bool",
  integer: "int",
  number: "float",
  string: "str",
  array: "array",
  object: "object",
};

function typeOf(value: unknown): Type {
  if (value === null || value === undefined) {
    return "null";
  }
  if (typeof value === "number") {
    return Number.isInteger(value) ? "integer" : "number";
  }
  return Array.isArray(value) ? "array" : (typeof value as Type);
}

function named(schema: Schema): string {
  const types = typeof schema === "boolean" ? [] : typesOf(schema);
  const listed = typeof schema === "boolean" ? [] : (schema.enum ?? []).map(typeOf);
  return [...new Set(types.length ? types : listed)].map((type) => NAMES[type]).join(" | ") || "any";
}

function other(expected: string, value: unknown, path: string): Misfit {
  return { message: `Expected \`${expected}\`, got \`${NAMES[typeOf(value)]}\``, path, isOther: true };
}

function quoted(value: unknown): string {
  return typeof value === "string" ? `'${value}'` : JSON.stringify(value);
}

function said(word: string, bound: number | undefined): string[] {
  return bound === undefined ? [] : [`${word} ${bound}`];
}

function range(low: number | undefined, high: number | undefined): string {
  return low === high ? String(low) : [...said(">=", low), ...said("<=", high)].join(", ");
}

function first<T>(of: T[], find: (each: T) => Found): Found {
  for (const each of of) {
    const found = find(each);
    if (found) {
      return found;
    }
  }
  return undefined;
}

// JSON Schema (2020-12), as far as the documents of plugsock use it.

import { isObject, type Json } from "./json.js";

export type Schema = boolean | Keywords;

/** What is known of a value; keywords that are missing here are passed over, as the standard has it. */
export interface Keywords {
  $ref?: string;
  type?: Type | Type[];
  enum?: Json[];
  const?: Json;
  anyOf?: Schema[];
  oneOf?: Schema[];
  properties?: Record<string, Schema>;
  required?: string[];
  additionalProperties?: Schema;
  propertyNames?: Schema;
  minProperties?: number;
  maxProperties?: number;
  prefixItems?: Schema[];
  items?: Schema;
  minItems?: number;
  maxItems?: number;
  uniqueItems?: boolean;
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
  exclusiveMaximum?: number;
  multipleOf?: number;
  minLength?: number;
  maxLength?: number;
  pattern?: string;
  format?: string;
  contentEncoding?: string;
  contentMediaType?: string;
  default?: Json;
  examples?: Json[];
}

export type Type = "null" | "boolean" | "integer" | "number" | "string" | "array" | "object";

const NAMED = "#/$defs/";

const TELLING: [Type, (keyof Keywords)[]][] = [
  ["object", ["properties", "required", "additionalProperties", "propertyNames", "minProperties", "maxProperties"]],
  ["array", ["prefixItems", "items", "minItems", "maxItems", "uniqueItems"]],
  ["string", ["pattern", "format", "minLength", "maxLength", "contentEncoding"]],
  ["number", ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"]],
];

/** The types that a value may have; an empty list stands for all of them. */
export function typesOf(schema: Keywords): Type[] {
  if (schema.type !== undefined) {
    return Array.isArray(schema.type) ? schema.type : [schema.type];
  }
  const told = TELLING.find(([, keywords]) => keywords.some((keyword) => keyword in schema));
  return told ? [told[0]] : [];
}

/** The named types of a document. */
export class Types {
  readonly #named: Record<string, Schema>;
  readonly #heights = new Map<string, number>();

  constructor(named: Record<string, Schema> = {}) {
    this.#named = named;
    const names = Object.keys(named);
    // A type is as high as what it names, at most; so the heights stand after as many rounds as there are types.
    for (let round = 0, moved = true; moved && round <= names.length; round++) {
      const before = names.map((name) => this.#heights.get(name));
      names.forEach((name) => this.#heights.set(name, this.height(named[name] as Schema)));
      moved = names.some((name, index) => this.#heights.get(name) !== before[index]);
    }
  }

  /** The keywords of a schema, with those of the type that it names; true and false stay what they are. */
  resolve(schema: Schema): Schema {
    let found = schema;
    while (isObject(found) && found.$ref !== undefined) {
      const { $ref, ...beside } = found as Keywords & { $ref: string };
      const named = this.#type($ref);
      found = isObject(named) ? { ...named, ...beside } : named;
    }
    return found;
  }

  /** How deep the flattest value is that a schema has: 0 without anything in it, Infinity if each has another in it. */
  height(schema: Schema): number {
    if (typeof schema === "boolean") {
      return schema ? 0 : Infinity;
    }
    if (schema.$ref !== undefined) {
      return this.#heights.get(schema.$ref.slice(NAMED.length)) ?? Infinity;
    }
    const choices = schema.anyOf ?? schema.oneOf;
    if (choices) {
      return Math.min(...choices.map((each) => this.height(each)));
    }
    const parts = schema.enum || "const" in schema ? [] : needed(schema);
    return parts.length ? 1 + Math.max(...parts.map((part) => this.height(part))) : 0;
  }

  #type(reference: string): Schema {
    const named = this.#named[reference.slice(NAMED.length)];
    if (!reference.startsWith(NAMED) || named === undefined) {
      throw new Error(`The shapes name ${reference}, and do not have it: write them anew with \`plugsock schema\`.`);
    }
    return named;
  }
}

/** What each value has in it. */
function needed(schema: Keywords): Schema[] {
  const fields = (schema.required ?? []).map((name) => schema.properties?.[name] ?? true);
  const entries = (schema.minProperties ?? 0) > fields.length ? [schema.additionalProperties ?? true] : [];
  const first = schema.prefixItems?.slice(0, schema.minItems ?? 0) ?? [];
  const rest = (schema.minItems ?? 0) > first.length ? [schema.items ?? true] : [];
  return [...fields, ...entries, ...first, ...rest];
}

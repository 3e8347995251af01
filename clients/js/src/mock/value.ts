// Values that fit a schema, made up from a seed.

import { canonical, type Json } from "./json.js";
import { misfit } from "./check.js";
import { real, whole } from "./numbers.js";
import { type Keywords, type Schema, type Type, type Types, typesOf } from "./schema.js";
import type { Seed } from "./seed.js";
import { text } from "./text.js";
import { word } from "./words.js";

/** From here on everything is as short as it can be: parts of parts of …, and parts of one value. */
const DEEPEST = 6;
const MOST = 300;
const NO_END = 200;
const TRIES = 20;

/** What a value follows from. */
export interface Seeds {
  /** Its form and its texts. */
  still: Seed;
  /** Its numbers, so that two values of a view look like one thing that changes. */
  moving: Seed;
}

/** Make up a value. */
export function made(schema: Schema, types: Types, seeds: Seeds, name = ""): Json {
  return new Making(types, seeds).value(schema, name, 0);
}

class Making {
  readonly #types: Types;
  readonly #still: Seed;
  readonly #moving: Seed;
  #count = 0;

  constructor(types: Types, { still, moving }: Seeds) {
    this.#types = types;
    this.#still = still;
    this.#moving = moving;
  }

  value(schema: Schema, name: string, depth: number): Json {
    const known = this.#types.resolve(schema);
    this.#count += 1;
    if (known === false || depth > NO_END) {
      throw new Error("This shape has no value: each would have another one in it, without an end.");
    }
    if (known === true) {
      return word(this.#still);
    }
    const said = this.#said(known);
    return said === undefined ? this.#madeUp(known, name, depth) : said;
  }

  /** One of the values that the author gave, and that fit. */
  #said(schema: Keywords): Json | undefined {
    const choices = schema.enum ?? ("const" in schema ? [schema.const!] : (schema.examples ?? []));
    const fitting = choices.filter((each) => !misfit(schema, each, this.#types));
    return fitting.length ? this.#still.pick(fitting) : undefined;
  }

  #madeUp(schema: Keywords, name: string, depth: number): Json {
    const choices = schema.anyOf ?? schema.oneOf;
    if (choices) {
      return this.value(this.#choice(choices), name, depth + 1);
    }
    const types = typesOf(schema);
    const type = types.length ? this.#still.pick(types) : undefined;
    return type ? this.#ofType(type, schema, name, depth) : word(this.#still);
  }

  #ofType(type: Type, schema: Keywords, name: string, depth: number): Json {
    switch (type) {
      case "null":
        return null;
      case "boolean":
        return this.#moving.chance(0.5);
      case "integer":
        return whole(schema, name, this.#moving);
      case "number":
        return real(schema, name, this.#moving);
      case "string":
        return text(schema, name, this.#still);
      case "array":
        return this.#array(schema, name, depth);
      case "object":
        return this.#object(schema, depth);
    }
  }

  /** Seldom null, as there is more to see in everything else; where it gets too much, whatever ends soonest. */
  #choice(choices: Schema[]): Schema {
    const heights = choices.map((each) => this.#types.height(each));
    if (this.#count > MOST) {
      return choices[heights.indexOf(Math.min(...heights))]!;
    }
    const ending = choices.filter((_, index) => heights[index]! < Infinity);
    const full = ending.filter((each) => !isNull(each));
    return this.#still.pick(full.length && !this.#still.chance(0.15) ? full : ending.length ? ending : choices);
  }

  #array(schema: Keywords, name: string, depth: number): Json[] {
    const first = schema.prefixItems ?? [];
    const low = Math.max(schema.minItems ?? 0, this.#isTight(depth) ? 0 : first.length);
    const high = schema.items === false ? first.length : (schema.maxItems ?? Infinity);
    const count = Math.min(high, first.length || this.#isTight(depth) ? low : low + this.#still.whole(low ? 0 : 1, 3));
    const items: Json[] = [];
    for (let at = 0; at < count; at++) {
      const make = () => this.value(first[at] ?? schema.items ?? true, singular(name), depth + 1);
      items.push(schema.uniqueItems ? this.#another(items, make) : make());
    }
    return schema.uniqueItems ? distinct(items, schema.minItems ?? 0) : items;
  }

  #object(schema: Keywords, depth: number): Json {
    const fields: Record<string, Json> = {};
    const required = new Set(schema.required);
    for (const [name, field] of Object.entries(schema.properties ?? {})) {
      const left = required.has(name) ? undefined : this.#default(field, depth);
      if (left !== undefined) {
        fields[name] = left;
      } else if (required.has(name) || !this.#isTight(depth) || this.#types.height(field) === 0) {
        fields[name] = this.value(field, name, depth + 1);
      }
    }
    return this.#entries(schema, fields, depth);
  }

  /** Now and then what stands there if nothing is said; always, where it gets too much. */
  #default(schema: Schema, depth: number): Json | undefined {
    const known = this.#types.resolve(schema);
    const left = typeof known === "boolean" || misfit(known, known.default, this.#types) ? undefined : known.default;
    return this.#isTight(depth) || this.#still.chance(0.5) ? left : undefined;
  }

  /** What stands under names that the schema does not know. */
  #entries(schema: Keywords, fields: Record<string, Json>, depth: number): Json {
    const isTable = !schema.properties && schema.additionalProperties !== false;
    const more = isTable && !this.#isTight(depth) ? this.#still.whole(1, 3) : 0;
    const wanted = Math.min(Math.max(schema.minProperties ?? 0, more), schema.maxProperties ?? Infinity);
    for (let tries = 0; Object.keys(fields).length < wanted && tries < wanted * TRIES; tries++) {
      const name = this.#name(schema.propertyNames ?? true);
      if (!Object.hasOwn(fields, name)) {
        fields[name] = this.value(schema.additionalProperties ?? true, name, depth + 1);
      }
    }
    return fields;
  }

  #name(schema: Schema): string {
    const known = this.#types.resolve(schema);
    return String(typeof known === "boolean" ? word(this.#still) : this.value({ type: "string", ...known }, "", 0));
  }

  #another(beside: Json[], make: () => Json): Json {
    const taken = new Set(beside.map(canonical));
    let found = make();
    for (let tries = 0; taken.has(canonical(found)) && tries < TRIES; tries++) {
      found = make();
    }
    return found;
  }

  #isTight(depth: number): boolean {
    return depth >= DEEPEST || this.#count > MOST;
  }
}

function isNull(schema: Schema): boolean {
  return typeof schema === "object" && schema.type === "null";
}

/** The items without those that are there already; with them, if there would be too few. */
function distinct(items: Json[], least: number): Json[] {
  const found = [...new Map(items.map((each) => [canonical(each), each])).values()];
  return found.length < least ? items : found;
}

function singular(name: string): string {
  return name.replace(/(?<=[^s])s$/, "");
}

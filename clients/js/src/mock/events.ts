// What the document of `plugsock schema` says of each event and of topics.

import { misfit, type Misfit } from "./check.js";
import { canonical, isObject, type Json } from "./json.js";
import { type Keywords, type Schema, Types, typesOf } from "./schema.js";
import { Seed } from "./seed.js";
import { made } from "./value.js";

export type Kind = "call" | "stream" | "view";

/** By which name a document has what comes out of each kind. */
const OUTPUT = { call: "result", stream: "item", view: "value" } as const;
const BYTES = "application/octet-stream";

interface Rule {
  pattern: string;
  presence: boolean;
}

/** One event: what goes in, what comes out. */
export class Event {
  readonly kind: Kind;
  readonly #name: string;
  readonly #types: Types;
  readonly #payload: Schema;
  readonly #output: Schema;
  readonly #isOptional: boolean;
  /** What answers which payload; a stream's answer is a list. */
  readonly #answers: Map<string, Json>;

  constructor(name: string, said: any, types: Types) {
    this.kind = said["x-plugsock"].kind;
    const output: Schema = said.properties[OUTPUT[this.kind]];
    this.#name = name;
    this.#types = types;
    this.#payload = withoutExamples(said.properties.payload);
    this.#output = withoutExamples(output);
    this.#isOptional = !said.required?.includes("payload");
    const answers: Json[] = said["x-plugsock"].answers ?? (this.kind === "stream" ? [] : examples(output));
    const payloads = examples(said.properties.payload).slice(0, answers.length);
    this.#answers = new Map(payloads.map((payload, index) => [this.#key(payload), answers[index]!]));
  }

  get takesBytes(): boolean {
    return isBytes(this.#payload);
  }

  get givesBytes(): boolean {
    return isBytes(this.#output);
  }

  /** Where a payload does not fit; undefined if it does. */
  misfit(payload: unknown): Misfit | undefined {
    return this.#isMissing(payload) ? undefined : misfit(this.#payload, payload, this.#types);
  }

  /** The arguments that a payload stands for: none at all are an empty object, where it is an object that is taken. */
  args(payload: unknown): any {
    const takesObject = isObject(this.#payload) && typesOf(this.#payload as Keywords).includes("object");
    return this.#isMissing(payload) && takesObject ? {} : payload;
  }

  /** What an example has for this payload; undefined if none has. */
  example(payload: unknown): Json | undefined {
    return this.#answers.get(this.#key(payload));
  }

  /** A result, or the `number`th item or value, made up for this payload. */
  made(payload: unknown, number = 0): Json {
    const seed = this.seed(payload);
    const still = new Seed(this.kind === "view" ? seed : `${seed} ${number}`);
    const called = this.#name.slice(this.#name.lastIndexOf(".") + 1);
    return made(this.#output, this.#types, { still, moving: new Seed(`${seed} moving ${number}`) }, called);
  }

  /** What all chance around this payload follows from. */
  seed(payload: unknown): string {
    return `${this.#name} ${this.#key(payload)}`;
  }

  #key(payload: unknown): string {
    return payload instanceof Uint8Array ? canonical([...payload]) : canonical(this.args(payload));
  }

  #isMissing(payload: unknown): boolean {
    return this.#isOptional && (payload === undefined || payload === null);
  }
}

/** All events, and the rules for topics. */
export class Events {
  /** The hash of all shapes. */
  readonly shapes: string;
  readonly #events: Map<string, Event>;
  readonly #rules: Rule[];

  constructor(document: any) {
    const about = document?.["x-plugsock"];
    if (!isObject(about) || !isObject(document.properties)) {
      throw new TypeError("connect(\"mock:\", {shapes}) needs the document that `plugsock schema` prints as `shapes`.");
    }
    const types = new Types(document.$defs);
    const entries = Object.entries(document.properties);
    this.shapes = about.shapes ?? "";
    this.#rules = about.topics ?? [];
    this.#events = new Map(entries.map(([name, said]) => [name, new Event(name, said, types)]));
  }

  find(name: string): Event | undefined {
    return this.#events.get(name);
  }

  /** The rule for a topic: one without `*` before all others, then the one with the longest pattern. */
  rule(topic: string): Rule | undefined {
    const exact = this.#rules.find((rule) => rule.pattern === topic);
    const fitting = this.#rules.filter(
      ({ pattern }) => pattern.endsWith("*") && topic.startsWith(pattern.slice(0, -1)),
    );
    return exact ?? fitting.sort((one, other) => other.pattern.length - one.pattern.length)[0];
  }
}

function isBytes(schema: Schema): boolean {
  return typeof schema === "object" && schema.contentMediaType === BYTES;
}

function examples(schema: Schema): Json[] {
  return typeof schema === "object" ? (schema.examples ?? []) : [];
}

/** Those of an event are answers to certain payloads, so no others get them. */
function withoutExamples(schema: Schema): Schema {
  if (typeof schema === "boolean") {
    return schema;
  }
  const { examples: _, ...rest } = schema;
  return rest;
}

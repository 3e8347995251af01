// What an event is answered with: what somebody's function says, or what is made up.

import type { Override } from "../transport.js";
import { type Clock, pause } from "./clock.js";
import type { Event, Events } from "./events.js";
import { Failed, failure } from "./failure.js";
import { bytes } from "./formats.js";
import { canonical, type Json } from "./json.js";
import { Seed } from "./seed.js";
import type { Payload } from "./wire.js";

/** Items of a stream, and the seconds between two of them; the seconds between two values of a view. */
const ITEMS: [number, number] = [5, 20];
const PACE: [number, number] = [0.2, 1];
const CHANGES: [number, number] = [2, 5];
/** Values of a view that are looked through for one that differs from the one before. */
const TRIES = 10;
const BYTES = 64;

/** What somebody asks for. */
export interface Question {
  name: string;
  /** As it came over the wire. */
  payload: string | Uint8Array;
  isBinary: boolean;
  over: AbortSignal;
}

/** A question that can be answered. */
interface Understood extends Question {
  event?: Event;
  override?: Override;
  given: unknown;
}

export class Answers {
  readonly #events: Events;
  readonly #overrides: ReadonlyMap<string, Override>;
  readonly #clock: Clock;

  constructor(events: Events, overrides: ReadonlyMap<string, Override>, clock: Clock) {
    this.#events = events;
    this.#overrides = overrides;
    this.#clock = clock;
  }

  /** How an event answers: undefined if there is none. One that only a function answers may be called or watched. */
  kind(name: string): "call" | "stream" | "view" | "any" | undefined {
    return this.#events.find(name)?.kind ?? (this.#overrides.has(name) ? "any" : undefined);
  }

  /** The one answer to a call, or the items of a stream. A payload that does not fit is a Failed. */
  async called(asked: Question): Promise<Payload | AsyncIterable<Payload>> {
    const question = this.#understood(asked);
    const { event, override, given } = question;
    const isStream = event?.kind === "stream";
    if (override) {
      const said = await override(event ? event.args(given) : given, { signal: asked.over });
      const items = isStream || isIterator(said) ? iterable(said, asked.name) : undefined;
      return event?.kind === "view" && items ? first(items) : (items ?? payload(said));
    }
    return isStream ? this.#items(question) : (event!.example(given) ?? made(question));
  }

  /** The values of a view, from now on. */
  async *watched(asked: Question): AsyncGenerator<Payload> {
    const question = this.#understood(asked);
    const { event, override, given } = question;
    if (override) {
      const said = await override(event ? event.args(given) : given, { signal: asked.over });
      yield* isIterator(said) ? iterable(said, asked.name) : [payload(said)];
    } else {
      const example = event!.example(given);
      yield* example === undefined ? this.#values(question) : [example];
    }
  }

  #understood(asked: Question): Understood {
    const event = this.#events.find(asked.name);
    const override = this.#overrides.get(asked.name);
    const given = asked.isBinary && (event?.takesBytes ?? true) ? asked.payload : parsed(asked);
    const found = given instanceof Uint8Array ? undefined : event?.misfit(given);
    if (found) {
      throw new Failed(failure("bad_payload", `${found.message}.`, { path: found.path }));
    }
    return { ...asked, event, override, given };
  }

  async *#items(question: Understood): AsyncGenerator<Payload> {
    const event = question.event!;
    const seed = new Seed(`${event.seed(question.given)} pace`);
    const example = event.example(question.given) as Json[] | undefined;
    const count = example?.length ?? seed.whole(...ITEMS);
    for (let number = 0; number < count; number++) {
      if (number) {
        await pause(seed.between(...PACE), this.#clock, question.over);
      }
      yield example ? example[number]! : made(question, number);
    }
  }

  async *#values(question: Understood): AsyncGenerator<Payload> {
    const seed = new Seed(`${question.event!.seed(question.given)} pace`);
    let last = "";
    for (let number = 0; ; number++) {
      let value = made(question, number);
      for (let tries = 0; tries < TRIES && canonical(value) === last; tries++) {
        value = made(question, ++number);
      }
      last = canonical(value);
      yield value;
      await pause(seed.between(...CHANGES), this.#clock, question.over);
    }
  }
}

/** What is made up: bytes for whoever speaks in bytes, if the event answers with some. */
function made({ event, given, isBinary }: Understood, number = 0): Payload {
  return event!.givesBytes && isBinary
    ? bytes(BYTES, new Seed(`${event!.seed(given)} ${number}`))
    : event!.made(given, number);
}

function parsed({ payload, isBinary, name }: Question): unknown {
  if (payload.length === 0) {
    return undefined;
  }
  if (isBinary) {
    throw new Failed(failure("bad_payload", `${name} takes no bytes, and the mock reads JSON only.`, { path: "$" }));
  }
  try {
    return JSON.parse(payload as string);
  } catch (error) {
    throw new Failed(failure("bad_payload", `JSON is malformed: ${(error as Error).message}.`, { path: "$" }));
  }
}

/** What a function has returned, as it would come over the wire: bytes as they are, nothing as null. */
function payload(said: unknown): Payload {
  if (said instanceof ArrayBuffer) {
    return new Uint8Array(said);
  }
  return said instanceof Uint8Array ? said : JSON.parse(JSON.stringify(said ?? null));
}

async function* iterable(said: unknown, name: string): AsyncGenerator<Payload> {
  if (!Array.isArray(said) && !isIterator(said)) {
    throw new Failed(failure("plug_error", `${name} is a stream: what answers it must return an iterable of items.`));
  }
  for await (const item of said as AsyncIterable<unknown>) {
    yield payload(item);
  }
}

/** The value that a view has now, of all that it will have. */
async function first(values: AsyncGenerator<Payload>): Promise<Payload> {
  for await (const value of values) {
    return value;
  }
  return null;
}

/** Is it something to be gone through? A list is not: it may as well be the answer itself. */
function isIterator(said: unknown): boolean {
  return (
    typeof said === "object" && said !== null && !Array.isArray(said) && !ArrayBuffer.isView(said) &&
    (Symbol.asyncIterator in said || Symbol.iterator in said)
  );
}

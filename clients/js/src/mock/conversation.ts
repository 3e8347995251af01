// One connection, as the server's side has it: each frame that comes in, and what is done about it.

import type { Events } from "./events.js";
import { Failed, failure, type Failure, thrown } from "./failure.js";
import { isObject, type Json } from "./json.js";
import { Open } from "./open.js";
import { call, type Means, watch } from "./runs.js";
import { Topics } from "./topics.js";
import { BadFrame, type Payload, read, type Request, written } from "./wire.js";

const LIMITS = { message: 1048576, answer: 16777216, calls: 128, watches: 128, timeout: 30 };
const SILENCE = 25;
const SESSION = "mock";

/** What a socket that says hello is told. */
const NOBODY = { user: null, permissions: ["*"] };

export class Conversation {
  readonly #events: Events;
  readonly #means: Means;
  readonly #send: (frame: string | ArrayBuffer) => void;
  readonly #topics: Topics;
  readonly #open = new Map<string, Open>();
  #isBegun = false;

  readonly #verbs: Record<string, (request: Request, isBinary: boolean) => void> = {
    hello: (request) => this.#hello(request),
    token: ({ id }, isBinary) => this.#say(`ok ${id}`, { ...NOBODY, expires: null }, isBinary),
    call: (request, isBinary) => this.#call(request, isBinary),
    watch: (request, isBinary) => this.#watch(request, isBinary),
    more: ({ id, name }) => this.#more(id, name),
    cancel: ({ id }) => this.#open.get(id)?.cancel(),
    join: ({ id, name }, isBinary) => this.#say(`ok ${id}`, this.#topics.join(name), isBinary),
    leave: ({ id, name }, isBinary) => this.#leave(id, name, isBinary),
    ping: (_request, isBinary) => this.#say("pong", undefined, isBinary),
  };

  constructor(events: Events, means: Means, send: (frame: string | ArrayBuffer) => void) {
    this.#events = events;
    this.#means = means;
    this.#send = send;
    this.#topics = new Topics(events, SESSION);
  }

  /** Take one frame; what can't be tied to a call is answered with the id 0. */
  receive(message: string | Uint8Array): void {
    const isBinary = typeof message !== "string";
    try {
      this.#take(read(message), isBinary);
    } catch (error) {
      const { message: why, id } = error as BadFrame;
      this.#refuse("0", failure("bad_frame", why, id === undefined ? {} : { id }), isBinary);
    }
  }

  /** The event is answered by something else now: what watches it is run again. */
  again(name: string): void {
    this.#open.forEach((open) => open.name === name && open.again());
  }

  /** The connection is gone, and everything with it. */
  end(): void {
    this.#open.forEach((open) => open.stop());
  }

  #take(request: Request, isBinary: boolean): void {
    if (this.#isBegun && request.verb === "hello") {
      throw new BadFrame("hello is the first frame of a socket, or not said at all.", request.id);
    }
    if (this.#open.has(request.id) && !["more", "cancel"].includes(request.verb)) {
      throw new BadFrame("This id is still open.", request.id);
    }
    this.#isBegun = true;
    try {
      this.#verbs[request.verb]!(request, isBinary);
    } catch (error) {
      if (error instanceof BadFrame) {
        throw error;
      }
      this.#refuse(request.id, thrown(error, request.name), isBinary);
    }
  }

  #hello({ id, payload }: Request): void {
    const greeting = greeted(payload);
    this.#say(`welcome ${id}`, {
      ...{ session: SESSION, resume: SESSION, resumed: false, ping: SILENCE, limits: LIMITS },
      ...{ shapes: this.#events.shapes, ...NOBODY, mock: ["*"] },
      topics: this.#topics.greeted(Object.keys(greeting.topics ?? {})),
    });
    for (const lost of Object.keys(greeting.open ?? {})) {
      this.#refuse(lost, failure("unknown_outcome", "The connection was lost, and nothing is known of it any more."));
    }
  }

  #call({ id, name, options, payload }: Request, isBinary: boolean): void {
    const kind = this.#kind(name);
    if (id === "0" && kind !== "call") {
      return; // nothing comes back, and nothing else can be meant
    }
    const credit = options.has("credit") ? Number(options.get("credit")) : undefined;
    const timeout = Math.min(Number(options.get("timeout") || LIMITS.timeout), LIMITS.timeout);
    const asked = { name, payload, isBinary };
    void call(this.#opened(id, name, isBinary, credit), asked, timeout, this.#means);
  }

  #watch({ id, name, payload }: Request, isBinary: boolean): void {
    if (!["view", "any"].includes(this.#kind(name))) {
      throw new Failed(failure("not_found", `${name} is no view: call it.`));
    }
    void watch(this.#opened(id, name, isBinary), { name, payload, isBinary }, this.#means);
  }

  #kind(name: string): string {
    const kind = this.#means.answers.kind(name);
    if (!kind) {
      throw new Failed(failure("not_found", `There is no event ${name}.`));
    }
    return kind;
  }

  #opened(id: string, name: string, isBinary: boolean, credit?: number): Open {
    const open = new Open(id, name, isBinary, credit, this.#send, () => this.#open.delete(id));
    if (id !== "0") {
      this.#open.set(id, open);
    }
    return open;
  }

  #more(id: string, count: string): void {
    if (!/^[1-9]\d{0,6}$/.test(count)) {
      throw new BadFrame("more takes a number of items from 1 on.", id);
    }
    this.#open.get(id)?.more(Number(count));
  }

  #leave(id: string, topic: string, isBinary: boolean): void {
    this.#topics.leave(topic);
    this.#say(`ok ${id}`, undefined, isBinary);
  }

  #refuse(id: string, reason: Failure, isBinary = false): void {
    if (id !== "0" || reason.code === "bad_frame") {
      this.#say(`error ${id}`, reason as Json, isBinary);
    }
  }

  #say(header: string, payload: Payload | undefined, isBinary = false): void {
    this.#send(written(header, payload, isBinary));
  }
}

function greeted(payload: string | Uint8Array): Record<string, any> {
  try {
    const said = JSON.parse(String(payload) || "{}");
    if (isObject(said) && (said.v ?? 1) === 1) {
      return said;
    }
  } catch {
    // it is no JSON, which is said as what does not fit is
  }
  throw new Failed(failure("bad_payload", "hello: Expected JSON of an object with `v` 1."));
}

// Which topics this socket is in. Nobody else is ever there, and nothing is pushed but what a test pushes.

import type { Events } from "./events.js";
import { Failed, failure } from "./failure.js";
import type { Json } from "./json.js";

export class Topics {
  readonly #events: Events;
  readonly #session: string;
  readonly #joined = new Set<string>();

  constructor(events: Events, session: string) {
    this.#events = events;
    this.#session = session;
  }

  /** Join a topic, if one of the rules lets clients in. */
  join(topic: string): Json {
    const rule = this.#events.rule(topic);
    if (!rule || topic === "-") {
      throw new Failed(failure("not_found", `There is no topic ${topic}.`));
    }
    this.#joined.add(topic);
    const self = { id: this.#session, user: null, sockets: 1, data: null };
    return { epoch: "", offset: 0, recovered: false, members: rule.presence ? [self] : null };
  }

  leave(topic: string): void {
    if (!this.#joined.delete(topic)) {
      throw new Failed(failure("not_found", `${topic} was not joined.`));
    }
  }

  /** Those that `hello` names, each with what became of it. */
  greeted(topics: Iterable<string>): Json {
    return Object.fromEntries([...topics].map((topic) => [topic, this.#tried(topic)]));
  }

  #tried(topic: string): Json {
    try {
      return this.join(topic);
    } catch (error) {
      return { error: (error as Failed).failure };
    }
  }
}

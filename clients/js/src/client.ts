// The client: hands out what the other files make, and hands on what the server says unasked.

import { ask } from "./asks.js";
import { pause } from "./backoff.js";
import { call } from "./calls.js";
import { PlugsockError } from "./errors.js";
import type { Frame } from "./frames.js";
import { Listeners, Store } from "./listeners.js";
import type { Opening } from "./opening.js";
import { permissionsOf } from "./permissions.js";
import { Session } from "./session.js";
import { stream } from "./streams.js";
import { Topics, type JoinedTopic } from "./topics.js";
import type { Override } from "./transport.js";
import type { CallOptions, Client, Options, Permissions, State, StreamOptions, ViewOptions, Why } from "./types.js";
import { LiveView } from "./views.js";

export class PlugsockClient implements Client {
  user: string | null = null;
  mocked: readonly string[] = [];
  readonly permissions: Permissions;

  #session: Session;
  #topics: Topics;
  #permissions = new Store<readonly string[]>([]);
  #events = new Map<string, Listeners<[any]>>();
  #notices = new Listeners<[string, any]>();
  #timeout: number | undefined;
  #opening: Opening;

  constructor(opening: Opening, { token, mock, timeout }: Options) {
    this.#opening = opening;
    this.#timeout = timeout;
    this.permissions = permissionsOf(this.#permissions);
    this.#session = new Session(
      () => opening.open_(),
      () => ({ mock, topics: this.#topics.places_() }),
      (frame) => this.#hear(frame),
    );
    this.#session.token_ = token;
    this.#session.welcomed_.add_((welcome) => {
      this.mocked = welcome.mock ?? [];
      this.#identified(welcome);
    });
    this.#topics = new Topics(this.#session);
    void this.#session.connect_();
  }

  get state(): State {
    return this.#session.state_;
  }

  call(event: string, args?: unknown, options?: CallOptions): Promise<any> {
    return call(this.#session, event, args, { ...options, timeout: options?.timeout ?? this.#timeout });
  }

  stream(event: string, args?: unknown, options?: StreamOptions): AsyncGenerator<any, void, undefined> {
    return stream(this.#session, event, args, options);
  }

  view(event: string, args?: unknown, options?: ViewOptions): LiveView {
    return new LiveView(this.#session, event, args, options?.patch ?? true);
  }

  topic(name: string): JoinedTopic {
    return this.#topics.get_(name);
  }

  on(event: string, fn: (data: any) => void): () => void {
    let listeners = this.#events.get(event);
    if (!listeners) this.#events.set(event, (listeners = new Listeners()));
    return listeners.add_(fn);
  }

  onState(fn: (state: State, why?: Why) => void): () => void {
    return this.#session.states_.add_(fn);
  }

  onNotice(fn: (name: string, data: any) => void): () => void {
    return this.#notices.add_(fn);
  }

  refresh(token: string): Promise<any> {
    const session = this.#session;
    const earlier = session.token_;
    if (typeof earlier !== "function") session.token_ = token;
    return new Promise((resolve, reject) => {
      const hear = (verb: string, payload: any) => {
        if (verb === "error") {
          if (session.token_ === token) session.token_ = earlier; // which still counts
          return reject(payload);
        }
        this.#identified(payload);
        resolve(payload);
      };
      session.ask_(ask("token", "plugsock", {}, { token }, hear));
    });
  }

  mock(event: string, fn: Override): () => void {
    return this.#opening.mock_(event, fn);
  }

  close(): void {
    this.#session.close_();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #hear([verb, token, data, event]: Frame): void {
    if (verb === "push") {
      const [name, at] = event.split("?at=") as [string, string?];
      if (token === "-") this.#events.get(name)?.tell_(data);
      else this.#topics.find_(token)?.pushed_(name, data, at);
      return;
    }
    if (token === "permissions") this.#identified(data);
    if (token === "goodbye") this.#session.goodbye_(data.retry_ms);
    if (token === "token") void this.#renew();
    if (token === "presence") this.#topics.find_(data.topic)?.present_(data);
    if (token === "left") this.#topics.find_(data.topic)?.expelled_(new PlugsockError(data.reason));
    this.#notices.tell_(token, data);
  }

  /** The token has ended. One that can't be had now is asked for again, for as long as the server has patience. */
  async #renew(failures = 0): Promise<void> {
    const { token_ } = this.#session;
    if (typeof token_ !== "function" || this.state !== "open") return;
    try {
      const token = await token_();
      if (token != null) await this.refresh(token);
    } catch (error) {
      if (error instanceof PlugsockError && !error.retry) return;
      const timer = setTimeout(() => void this.#renew(failures + 1), pause(failures));
      const stop = this.onState(() => (stop(), clearTimeout(timer))); // the next hello asks for one, too
    }
  }

  #identified({ user, permissions }: { user: string | null; permissions: string[] }): void {
    this.user = user;
    this.#permissions.set_(permissions);
  }
}

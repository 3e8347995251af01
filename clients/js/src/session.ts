// Comes back: one session over as many connections as it takes, and every ask has its one end.

import type { Ask } from "./asks.js";
import { watchOver } from "./awake.js";
import { isTemporary, pause } from "./backoff.js";
import { Connection } from "./connection.js";
import { Disconnected, PlugsockError } from "./errors.js";
import type { Frame } from "./frames.js";
import { Listeners } from "./listeners.js";
import type { SocketLike } from "./transport.js";
import type { State, Token, Why } from "./types.js";

/** The hello of each connection; the ids of all else come after it. */
const HELLO_ID = 1;

/** What the server says when it takes somebody in. */
export interface Welcome {
  resume: string;
  resumed: boolean;
  ping: number;
  limits: { calls: number; watches: number };
  user: string | null;
  permissions: string[];
  topics: Record<string, any>;
  mock?: string[];
}

export class Session {
  state_: State = "connecting";
  readonly states_ = new Listeners<[State, Why?]>();
  /** What the server allows: its defaults, until it has said so. */
  limits_ = { calls: 128, watches: 128 };
  /** Is told of each welcome, before anything is asked on its connection. */
  readonly welcomed_ = new Listeners<[Welcome]>();
  token_: Token | undefined;

  #open: () => Promise<SocketLike>;
  #greeting: () => object;
  #hear: (frame: Frame) => void;
  #connection: Connection | undefined;
  #attempt = 0;
  #failures = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #sleep: () => void;
  #asks = new Map<number, Ask>();
  #queue = new Set<Ask>();
  /** What was given up while there was no connection. */
  #dropped: number[] = [];
  #lastId = HELLO_ID;
  #welcome: Welcome | undefined;
  /** Its slot, when it said goodbye: until then nothing new is asked. */
  #retryMs: number | undefined;
  /** What everything is rejected with once the client is closed. */
  #ending: Disconnected | undefined;

  /**
   * `open` opens a WebSocket, or rejects if that can never be; `greeting` has what each hello says beside what is known
   * here; `hear` gets pushes and notices.
   */
  constructor(open: () => Promise<SocketLike>, greeting: () => object, hear: (frame: Frame) => void) {
    this.#open = open;
    this.#greeting = greeting;
    this.#hear = hear;
    this.#sleep = watchOver(
      () => this.#connection?.check_(this.#welcome?.ping ?? Infinity),
      () => this.#wake(),
    );
  }

  /** Connects, now. */
  async connect_(): Promise<void> {
    if (this.state_ === "closed") return; // by somebody who was told that it comes back
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const attempt = ++this.#attempt;
    let code = 4001;
    try {
      const token = typeof this.token_ === "function" ? await this.token_() : this.token_;
      code = 1010;
      const socket = attempt === this.#attempt && (await this.#open());
      if (!socket) return;
      if (attempt !== this.#attempt) return socket.close();
      this.#connection = new Connection(
        socket,
        () => this.#hello(token),
        (frame) => this.#receive(frame),
        (...end) => this.#lost(...end),
      );
    } catch (error) {
      if (attempt === this.#attempt) this.#lost(code, String(error));
    }
  }

  /** Asks now, or as soon as there is a connection. */
  ask_(ask: Ask): void {
    ask.id_ = ask.count_ = 0;
    if (this.state_ === "closed") ask.hear_("error", this.#ending);
    else if (this.state_ === "open" && this.#retryMs == null) this.#say(ask);
    else this.#queue.add(ask);
  }

  /** Nobody waits for the end of this any more. */
  drop_(ask: Ask): void {
    this.#queue.delete(ask);
    if (!this.#asks.delete(ask.id_)) return;
    if (this.state_ === "open") this.#connection!.say_(`cancel ${ask.id_}`);
    else this.#dropped.push(ask.id_);
  }

  /** Allows so many further items, if the stream is open. */
  more_(ask: Ask, count: number): void {
    if (this.state_ === "open" && this.#asks.has(ask.id_)) this.#connection!.say_(`more ${ask.id_} ${count}`);
  }

  /** The server stops soon: come back in its slot, and ask nothing new until then. */
  goodbye_(retryMs: number): void {
    this.#retryMs = retryMs;
  }

  /** Ends it for good; everything that is open is rejected. `refusal` is what was said in place of a welcome. */
  close_(code = 1000, reason = "The client was closed.", refusal?: PlugsockError): void {
    if (this.state_ === "closed") return;
    this.#attempt++;
    clearTimeout(this.#timer);
    this.#sleep();
    this.#connection?.close_(1000);
    this.#connection = undefined;
    this.#ending = new Disconnected(reason || `Closed with ${code}.`, code, refusal);
    this.#turn("closed", { code, reason });
    const asks = [...this.#asks.values(), ...this.#queue];
    this.#asks.clear();
    this.#queue.clear();
    for (const ask of asks) ask.hear_("error", this.#ending);
  }

  #turn(state: State, why?: Why): void {
    if (this.state_ !== state) this.states_.tell_((this.state_ = state), why);
  }

  #hello(token: string | undefined): string {
    const { calls, watches } = this.limits_;
    const asks = [...this.#asks];
    // The server takes no hello that names more than it can have in hand, and has refused the rest, or would have.
    for (const [, ask] of asks.splice(calls + watches)) this.#giveUp(ask);
    const known = this.#welcome && {
      resume: this.#welcome.resume,
      open: Object.fromEntries(asks.map(([id, { count_ }]) => [id, count_])),
    };
    const hello = { v: 1, format: "json", token, ...known, ...this.#greeting() };
    return `hello ${HELLO_ID} plugsock ${JSON.stringify(hello)}`;
  }

  #receive(frame: Frame): void {
    const [verb, token, payload] = frame;
    if (verb === "push" || verb === "notice") this.#hear(frame);
    else if (verb === "welcome") this.#enter(payload);
    else this.#answered(verb, +token || +payload?.id, payload);
  }

  #answered(verb: string, id: number, payload: any): void {
    const ask = this.#asks.get(id);
    const error = verb === "error" ? new PlugsockError(payload) : undefined;
    if (error && id === HELLO_ID) return this.#refused(error);
    if (!ask) return;
    if (error || verb === "ok") this.#asks.delete(id);
    else ask.count_++;
    if (error?.code === "not_received") this.ask_(ask);
    else ask.hear_(verb, error ?? payload);
  }

  /** The server is not asked what became of it. */
  #giveUp(ask: Ask): void {
    this.#asks.delete(ask.id_);
    ask.hear_("error", new PlugsockError({ code: "unknown_outcome", message: "Nobody knows what became of it." }));
  }

  /** The server closes the connection as well, unless it could not read the hello. */
  #refused(error: PlugsockError): void {
    this.#connection!.close_(1000);
    this.#lost(error.retry ? 4001 : 4501, error.message, error);
  }

  #enter(welcome: Welcome): void {
    this.#welcome = welcome;
    this.limits_ = welcome.limits;
    this.#failures = 0;
    this.welcomed_.tell_(welcome);
    if (!this.#connection) return; // somebody who was told has closed the client
    const queue = [...this.#queue];
    this.#queue.clear();
    this.state_ = "open";
    for (const id of this.#dropped.splice(0)) this.#connection.say_(`cancel ${id}`);
    queue.forEach((ask) => this.#say(ask));
    this.states_.tell_("open");
  }

  #say(ask: Ask): void {
    ask.id_ = ++this.#lastId;
    this.#asks.set(ask.id_, ask);
    this.#connection!.say_(`${ask.verb_} ${ask.id_} ${ask.name_}`, ask.payload_);
  }

  #lost(code: number, reason: string, refusal?: PlugsockError): void {
    this.#connection = undefined;
    if (!isTemporary(code)) return this.close_(code, reason, refusal);
    for (const ask of [...this.#asks.values(), ...this.#queue]) {
      // Only calls and views outlive a connection; topics are named by hello, and a token can be shown again.
      if (ask.verb_ === "call" || ask.verb_ === "watch") continue;
      this.#asks.delete(ask.id_);
      if (ask.verb_ === "token") this.#queue.add(ask);
      else this.#queue.delete(ask);
    }
    const retryMs = this.#retryMs ?? pause(this.#failures++);
    this.#timer = setTimeout(() => this.#again(), retryMs);
    this.#turn("waiting", { code, reason, retryMs });
  }

  #again(): void {
    this.#retryMs = undefined;
    this.#turn("connecting");
    void this.connect_();
  }

  /** Something is different now: tries at once what it would have tried later, except in a slot of the server's. */
  #wake(): void {
    if (this.state_ !== "waiting") this.#connection?.check_(0);
    else if (this.#retryMs == null) this.#again();
  }
}

// A view: a value that is kept current while somebody looks at it.

import { ask, checked, type Ask } from "./asks.js";
import { Disconnected, PlugsockError } from "./errors.js";
import { guard, Listeners } from "./listeners.js";
import { merge } from "./merge.js";
import type { Session } from "./session.js";
import type { Snapshot, Status, View } from "./types.js";
import { Use } from "./use.js";

/** After so long what the server would not do for now is asked again, where it does not say when, in ms. */
const AGAIN_MS = 1_000;

export class LiveView implements View<any> {
  #session: Session;
  #make: () => Ask;
  #ask: Ask | undefined;
  #snapshot: Snapshot<any> = { value: undefined, status: "loading", error: null };
  /** How it stood when the connection went: so it stands again if the session goes on. */
  #before: Snapshot<any> | undefined;
  #listeners = new Listeners<[any, Status]>();
  #use: Use;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #stops: (() => void)[] = [];

  constructor(session: Session, name: string, args: unknown, patch: boolean) {
    this.#session = session;
    checked(name);
    this.#make = () => ask("watch", name, { patch }, args, (verb, payload) => this.#hear(verb, payload));
    this.#use = new Use(
      () => this.#open(),
      () => this.#close(),
    );
  }

  get value(): any {
    return this.#snapshot.value;
  }

  get status(): Status {
    return this.#snapshot.status;
  }

  get error(): PlugsockError | null {
    return this.#snapshot.error;
  }

  readonly snapshot = (): Snapshot<any> => this.#snapshot;

  readonly subscribe = (fn: (value: any, status: Status) => void): (() => void) => {
    const release = this.#use.hold_();
    const stop = this.#listeners.add_(fn);
    guard(() => fn(this.value, this.status));
    return () => {
      stop();
      release();
    };
  };

  first(signal?: AbortSignal): Promise<any> {
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      const look = () => {
        if (this.status === "live") settle(() => resolve(this.value));
        else if (this.error && this.status !== "stale") settle(() => reject(this.error));
      };
      const abort = () => settle(() => reject(signal!.reason));
      const release = this.#use.hold_();
      const stop = this.#listeners.add_(look);
      const settle = (how: () => void) => {
        stop();
        release();
        signal?.removeEventListener("abort", abort);
        how();
      };
      signal?.addEventListener("abort", abort);
      look();
    });
  }

  /** Asks for it, unless that is done; also one that has ended is asked for again. */
  #open(): void {
    if (this.#ask) return;
    this.#ask = this.#make();
    this.#becomes(this.value, this.value === undefined ? "loading" : "stale");
    this.#stops = [
      this.#session.states_.add_((state) => {
        if (state === "waiting") this.#lost();
        // The session can't end what is not asked now.
        if (state === "closed" && this.#timer) this.#askAgain();
      }),
      this.#session.welcomed_.add_(({ resumed }) => this.#back(resumed)),
    ];
    this.#session.ask_(this.#ask);
  }

  #close(): void {
    if (this.#ask) this.#session.drop_(this.#ask);
    if (this.#end()) this.#becomes(this.value, this.value === undefined ? "loading" : "stale");
  }

  /** Nothing more comes of what was asked. */
  #end(): boolean {
    const wasOpen = !!this.#ask;
    this.#ask = this.#before = undefined;
    this.#stopTimer();
    this.#stops.splice(0).forEach((stop) => stop());
    return wasOpen;
  }

  #askAgain(): void {
    this.#stopTimer();
    this.#session.ask_(this.#ask!);
  }

  #stopTimer(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #lost(): void {
    if (this.status === "loading" || this.status === "stale") return;
    this.#before = this.#snapshot;
    this.#becomes(this.value, "stale", this.error);
  }

  #back(isResumed: boolean): void {
    const before = this.#before;
    this.#before = undefined;
    if (before && isResumed) this.#becomes(before.value, before.status, before.error);
  }

  #hear(verb: string, payload: any): void {
    if (verb === "item") this.#becomes(payload, "live");
    else if (verb === "patch") this.#becomes(merge(this.value, payload), "live");
    else if (verb === "fault") this.#becomes(this.value, "error", new PlugsockError(payload));
    else this.#ended(payload);
  }

  #ended(error: PlugsockError): void {
    const { code } = error;
    if (code === "unknown_outcome" || code === "cancelled" || error.retry) {
      const afterMs = code === "unknown_outcome" ? 0 : (error.afterMs ?? AGAIN_MS);
      if (this.value !== undefined) this.#becomes(this.value, "stale", error);
      this.#timer = setTimeout(() => this.#askAgain(), afterMs);
      return;
    }
    this.#end();
    // What somebody may not see any more is not kept.
    const value = error instanceof Disconnected ? this.value : undefined;
    this.#becomes(value, code === "revoked" ? "revoked" : "error", error);
  }

  #becomes(value: any, status: Status, error: PlugsockError | null = null): void {
    this.#snapshot = { value, status, error };
    this.#listeners.tell_(value, status);
  }
}

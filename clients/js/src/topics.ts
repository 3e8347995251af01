// Topics: what is pushed to all who are in one, and who that is.

import { ask, checked, type Hear } from "./asks.js";
import { Disconnected, PlugsockError } from "./errors.js";
import { guard, Listeners, Store } from "./listeners.js";
import type { Session, Welcome } from "./session.js";
import type { Member, Members, Status, Topic, Why } from "./types.js";
import { Use } from "./use.js";

type List = readonly Member[] | null;

export class JoinedTopic implements Topic {
  status: Status = "loading";
  error: PlugsockError | null = null;
  recovered = false;
  position: string | null = null;
  readonly members: Members;
  /** Shall this client be in it? */
  isWanted_ = false;

  /** Was it left, without an answer by now? Then a session that goes on may still be in it. */
  #isLeft = false;
  #session: Session;
  #events = new Map<string, Listeners<[any]>>();
  #any = new Listeners<[string, any]>();
  #changes = new Listeners<[Topic]>();
  #members = new Store<List>(null);
  #use: Use;

  constructor(
    session: Session,
    readonly name: string,
  ) {
    this.#session = session;
    this.#use = new Use(
      () => this.#want(),
      () => this.leave(),
    );
    const members = this.#members;
    this.members = {
      get list() {
        return members.value_;
      },
      subscribe: (fn) => this.#held(() => members.subscribe_(fn)),
    };
  }

  on(event: string, fn: (data: any) => void): () => void {
    let listeners = this.#events.get(event);
    if (!listeners) this.#events.set(event, (listeners = new Listeners()));
    return this.#held(() => listeners.add_(fn));
  }

  onAny(fn: (event: string, data: any) => void): () => void {
    return this.#held(() => this.#any.add_(fn));
  }

  readonly subscribe = (fn: (topic: Topic) => void): (() => void) => {
    const stop = this.#held(() => this.#changes.add_(fn));
    guard(() => fn(this));
    return stop;
  };

  leave(): void {
    this.#events.clear();
    this.#any = new Listeners();
    this.#use.forget_();
    if (!this.isWanted_) return;
    this.isWanted_ = false;
    this.#isLeft = true;
    if (this.#session.state_ === "open") this.#leave();
    this.#outside("loading", null);
  }

  /** Joins it, or leaves it if it was left in the meantime: what the welcome says of it is known now. */
  welcomed_(answer: any): void {
    if (this.isWanted_) {
      if (answer) this.#answered(answer);
      else this.#join();
    } else if (answer && this.#isLeft) this.#leave();
    else this.#isLeft = false;
  }

  pushed_(event: string, data: unknown, at: string | undefined): void {
    if (at) this.position = at;
    this.#events.get(event)?.tell_(data);
    this.#any.tell_(event, data);
  }

  present_({ joined = [], left = [] }: { joined?: Member[]; left?: string[] }): void {
    const members = new Map((this.#members.value_ ?? []).map((member) => [member.id, member]));
    for (const id of left) members.delete(id);
    for (const member of joined) members.set(member.id, member);
    this.#members.set_([...members.values()]);
  }

  /** The server has taken this client out. */
  expelled_(error: PlugsockError): void {
    this.isWanted_ = false;
    this.#outside(error.code === "revoked" ? "revoked" : "error", error);
  }

  /** The connection went: what is pushed now comes later, or `recovered` will be false. */
  lost_(): void {
    if (this.status === "live") this.#becomes("stale", null);
  }

  #held(listen: () => () => void): () => void {
    const release = this.#use.hold_();
    const stop = listen();
    return () => {
      stop();
      release();
    };
  }

  #want(): void {
    if (this.isWanted_) return;
    this.isWanted_ = true;
    this.#isLeft = false;
    this.#becomes("loading", null);
    // Else hello says it, or what comes behind the welcome.
    if (this.#session.state_ === "open" || this.#session.state_ === "closed") this.#join();
  }

  #join(): void {
    const hear = (verb: string, payload: any) => {
      if (verb === "ok") this.#answered(payload);
      else if (this.isWanted_) this.expelled_(payload);
    };
    this.#say("join", hear, { at: this.position });
  }

  #leave(): void {
    this.#say("leave", () => (this.#isLeft = false));
  }

  #answered(answer: any): void {
    if (!this.isWanted_) return; // it was left in the meantime
    if (answer.error) return this.expelled_(new PlugsockError(answer.error));
    this.recovered = answer.recovered;
    // What was missed is still to come: who is cut off before that goes on from where it was.
    if (!answer.recovered) this.position = answer.epoch ? `${answer.epoch}.${answer.offset}` : null;
    this.#becomes("live", null);
    this.#members.set_(answer.members);
  }

  #say(verb: string, hear: Hear, options = {}): void {
    this.#session.ask_(ask(verb, this.name, options, undefined, hear));
  }

  #outside(status: Status, error: PlugsockError | null): void {
    this.#becomes(status, error);
    this.#members.set_(null);
  }

  #becomes(status: Status, error: PlugsockError | null): void {
    this.status = status;
    this.error = error;
    this.#changes.tell_(this);
  }
}

/** All topics that somebody has named. */
export class Topics {
  #all = new Map<string, JoinedTopic>();
  #session: Session;

  constructor(session: Session) {
    this.#session = session;
    session.welcomed_.add_(({ topics }: Welcome) => this.#each((topic) => topic.welcomed_(topics[topic.name])));
    session.states_.add_((state, why) => {
      if (state === "waiting") this.#each((topic) => topic.lost_());
      if (state === "closed") this.#each((topic) => topic.isWanted_ && topic.expelled_(gone(why!)));
    });
  }

  get_(name: string): JoinedTopic {
    let topic = this.#all.get(name);
    if (!topic) this.#all.set(name, (topic = new JoinedTopic(this.#session, checked(name))));
    return topic;
  }

  find_(name: string): JoinedTopic | undefined {
    return this.#all.get(name);
  }

  /** What hello says of those that this client shall be in; more than the server takes are joined after the welcome. */
  places_(): Record<string, string | null> {
    const wanted = [...this.#all.values()].filter((topic) => topic.isWanted_);
    const named = wanted.slice(0, this.#session.limits_.watches);
    return Object.fromEntries(named.map(({ name, position }) => [name, position]));
  }

  #each(fn: (topic: JoinedTopic) => unknown): void {
    this.#all.forEach(fn);
  }
}

function gone({ code, reason }: Why): PlugsockError {
  return new Disconnected(reason, code);
}

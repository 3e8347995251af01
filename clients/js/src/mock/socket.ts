// A WebSocket without a server: what is sent is answered in the same page.

import type { MockOptions, SocketLike } from "../transport.js";
import { Answers } from "./answers.js";
import { BROWSER, type Clock } from "./clock.js";
import { Conversation } from "./conversation.js";
import { Events } from "./events.js";
import { Trouble } from "./trouble.js";

const CONNECTING = 0;
const OPEN = 1;
const CLOSED = 3;
/** What a connection ends with that is lost. */
const LOST = 1006;

/** A mock may be given a clock and chance, for tests of time and faults. */
export interface Options extends MockOptions {
  clock?: Clock;
  chance?: () => number;
}

/** A socket that answers by itself. */
export interface MockSocket extends SocketLike {
  /** Run the views of an event again: `overrides` has something else for it now. */
  again(event: string): void;
}

/**
 * Open a socket to nobody: it speaks `plugsock.v1`, and answers with values that fit the shapes.
 *
 * It opens and answers later, as a real one, never while it is being called. A document that is none is a TypeError.
 */
export function mockSocket(options: Options): MockSocket {
  return new Mock(options);
}

class Mock implements MockSocket {
  readyState = CONNECTING;
  binaryType = "arraybuffer";
  onmessage: ((event: { data: any }) => void) | null = null;
  onclose: ((event: { code: number; reason: string }) => void) | null = null;
  readonly #conversation: Conversation;
  #onopen: ((event: any) => void) | null = null;

  constructor({ shapes, overrides = new Map(), fault = {}, clock = BROWSER, chance = Math.random }: Options) {
    const events = new Events(shapes);
    const answers = new Answers(events, overrides, clock);
    const trouble = new Trouble(fault, clock, chance, () => this.#end(LOST, ""));
    this.#conversation = new Conversation(events, { answers, trouble, clock }, (frame) => this.#deliver(frame));
  }

  get onopen(): ((event: any) => void) | null {
    return this.#onopen;
  }

  /** The socket opens once there is somebody to tell, however long it took them to get hold of it. */
  set onopen(listener: ((event: any) => void) | null) {
    this.#onopen = listener;
    queueMicrotask(() => this.#begin());
  }

  send(data: string | ArrayBufferLike | Uint8Array): void {
    if (this.readyState === CONNECTING) {
      throw new DOMException("The socket is not open yet.", "InvalidStateError");
    }
    const message = typeof data === "string" ? data : copied(data);
    queueMicrotask(() => this.readyState === OPEN && this.#conversation.receive(message));
  }

  close(code = 1005, reason = ""): void {
    queueMicrotask(() => this.#end(code, reason));
  }

  again(event: string): void {
    this.#conversation.again(event);
  }

  #begin(): void {
    if (this.readyState === CONNECTING && this.#onopen) {
      this.readyState = OPEN;
      this.#onopen({ type: "open" });
    }
  }

  #deliver(frame: string | ArrayBuffer): void {
    queueMicrotask(() => this.readyState === OPEN && this.onmessage?.({ data: frame }));
  }

  #end(code: number, reason: string): void {
    if (this.readyState !== CLOSED) {
      this.readyState = CLOSED;
      this.#conversation.end();
      this.onclose?.({ code, reason });
    }
  }
}

/** The bytes as they are now: who sent them may write into them again. */
function copied(data: ArrayBufferLike | Uint8Array): Uint8Array {
  return data instanceof Uint8Array ? data.slice() : new Uint8Array(data).slice();
}

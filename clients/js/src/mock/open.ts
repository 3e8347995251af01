// One id that is open: a call, a stream or a view, until its one end.

import type { Failure } from "./failure.js";
import { failure } from "./failure.js";
import { written, type Payload } from "./wire.js";

type Send = (frame: string | ArrayBuffer) => void;

const CREDIT = 32;

export class Open {
  readonly id: string;
  readonly name: string;
  readonly isBinary: boolean;
  readonly #send: Send;
  readonly #close: () => void;
  readonly #over = new AbortController();
  #credit: number;
  #credited = () => {};
  /** Ends what runs now for a view, to begin it anew. */
  #round = new AbortController();

  /** `close` is called with the end; a call with the id 0 has no answer. */
  constructor(id: string, name: string, isBinary: boolean, credit: number | undefined, send: Send, close: () => void) {
    this.id = id;
    this.name = name;
    this.isBinary = isBinary;
    this.#credit = credit ?? CREDIT;
    this.#send = send;
    this.#close = close;
  }

  get over(): AbortSignal {
    return this.#over.signal;
  }

  get isOver(): boolean {
    return this.#over.signal.aborted;
  }

  /** The result, or the end of a stream. */
  ok(payload?: Payload): void {
    this.#end("ok", payload);
  }

  error(reason: Failure): void {
    this.#end("error", reason);
  }

  /** An item, or the newest value of a view. */
  item(payload: Payload, isBinary = this.isBinary): void {
    if (!this.isOver) {
      this.#send(written(`item ${this.id}`, payload, isBinary));
    }
  }

  /** Why a view has no newer value now. */
  fault(reason: Failure): void {
    if (!this.isOver) {
      this.#send(written(`fault ${this.id}`, reason, false));
    }
  }

  cancel(): void {
    this.error(failure("cancelled", "The client asked for it."));
  }

  /** Nobody hears of it any more. */
  stop(): void {
    this.#over.abort();
    this.#round.abort();
    this.#credited();
    this.#close();
  }

  more(count: number): void {
    this.#credit += count;
    this.#credited();
  }

  /** Take one of the items that may be sent, as soon as there is one. */
  async credit(): Promise<void> {
    while (this.#credit <= 0 && !this.isOver) {
      await new Promise<void>((resolve) => (this.#credited = resolve));
    }
    this.#credit -= 1;
  }

  /** What lasts until `again`, or the end. */
  round(): AbortSignal {
    if (!this.isOver) {
      this.#round = new AbortController();
    }
    return this.#round.signal;
  }

  again(): void {
    this.#round.abort();
  }

  #end(verb: "ok" | "error", payload: Payload | undefined): void {
    if (this.isOver) {
      return;
    }
    this.stop();
    if (this.id !== "0") {
      this.#send(written(`${verb} ${this.id}`, payload, this.isBinary));
    }
  }
}

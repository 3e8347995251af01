// One WebSocket, from its opening to its end, which it finds out by itself where nobody tells it.

import { join, parse, type Frame } from "./frames.js";
import type { SocketLike } from "./transport.js";

/** So long a connection may take until its welcome, and to answer a ping, in ms: the server's own limit. */
const LIMIT_MS = 10_000;

/** What the connection is closed with, and the reason is given as, where nothing comes any more. */
export const SILENT = 4002;

export class Connection {
  #socket: SocketLike;
  #heardAt = Date.now();
  /** Something must come now: the welcome, or the answer to a ping. */
  #isDue = true;
  #dueSince = Date.now();
  #lost: (code: number, reason: string) => void;

  /** `hello` is said first; `hear` gets each frame; `lost` is called once, unless it is closed before. */
  constructor(
    socket: SocketLike,
    hello: () => string,
    hear: (frame: Frame) => void,
    lost: (code: number, reason: string) => void,
  ) {
    this.#socket = socket;
    this.#lost = lost;
    socket.binaryType = "arraybuffer";
    socket.onopen = () => socket.send(hello());
    socket.onmessage = ({ data }) => {
      this.#heardAt = Date.now();
      this.#isDue = false;
      hear(parse(data));
    };
    socket.onclose = ({ code, reason }) => lost(code, reason);
  }

  say_(header: string, payload: string | Uint8Array = ""): void {
    this.#socket.send(join(header, payload));
  }

  /** Looks whether the other side still answers, if nothing has come for so many seconds. */
  check_(silence: number): void {
    const now = Date.now();
    if (this.#isDue) {
      if (now - this.#dueSince >= LIMIT_MS) {
        this.close_(SILENT);
        this.#lost(SILENT, "A ping was not answered.");
      }
    } else if (now - this.#heardAt >= silence * 1000) {
      this.#isDue = true;
      this.#dueSince = now;
      this.say_("ping");
    }
  }

  /** Hears nothing more. */
  close_(code: number): void {
    const socket = this.#socket;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close(code);
  }
}

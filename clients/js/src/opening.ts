// How a client gets its WebSocket: from the browser, or from the second file, which stands in for a server.

import type { MockSocket } from "./plugsock-mock.js";
import type { Override, SocketLike } from "./transport.js";
import type { Options } from "./types.js";

/** What `connect` was told of where to connect to. */
export interface Opening {
  /** Opens a WebSocket, or rejects if that can never be. */
  open_(): Promise<SocketLike>;
  /** Answers a mocked event by a function; what is returned ends it. */
  mock_(event: string, fn: Override): () => void;
}

/** Says where a server is; a malformed address is a TypeError at once. */
export function toServer(url: string, options: Options): Opening {
  const address = new URL(url, globalThis.location?.href);
  address.hash = "";
  const href = address.href.replace(/^http/, "ws");
  return {
    async open_() {
      const socket = new (options.WebSocket ?? WebSocket)(href, "plugsock.v1");
      socket.onerror = () => {}; // onclose tells it as well, but to some classes an error that nobody hears is fatal
      return socket;
    },
    mock_() {
      throw new TypeError('Only what connect("mock:") makes can be told what to answer.');
    },
  };
}

/** Answers from shapes. */
export function toMock({ shapes, fault }: Options): Opening {
  const overrides = new Map<string, Override>();
  let socket: MockSocket | undefined;
  return {
    async open_() {
      if (!shapes) throw new TypeError('connect("mock:") needs `shapes`: what `plugsock schema` prints.');
      const { mockSocket } = await import("./plugsock-mock.js");
      return (socket = mockSocket({ shapes, overrides, fault }));
    },
    mock_(event, fn) {
      overrides.set(event, fn);
      socket?.again(event);
      return () => {
        if (overrides.get(event) !== fn) return;
        overrides.delete(event);
        socket?.again(event);
      };
    },
  };
}

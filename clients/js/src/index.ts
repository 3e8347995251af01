// The client of plugsock. README.md shows how it is used.

import { PlugsockClient } from "./client.js";
import { toMock, toServer } from "./opening.js";
import type { AnyShapes, Client, Options, Shapes } from "./types.js";

export { Disconnected, PlugsockError } from "./errors.js";
export type { Fault, Override } from "./transport.js";
export type {
  AnyShapes,
  CallOptions,
  Client,
  Member,
  Members,
  Options,
  Permissions,
  Shapes,
  Snapshot,
  State,
  Status,
  StreamOptions,
  Token,
  Topic,
  View,
  ViewOptions,
  Why,
} from "./types.js";

/**
 * A client of a server, at once; it connects by itself, and comes back.
 *
 * @param url Of the server, as "wss://example.org"; by default the page's own. "mock:" answers from `shapes`, without a
 * server.
 */
export function connect<P extends Shapes = AnyShapes>(url = "/", options: Options = {}): Client<P> {
  const opening = url === "mock:" ? toMock(options) : toServer(url, options);
  return new PlugsockClient(opening, options) as unknown as Client<P>;
}

// What frames go over: a WebSocket of the browser, or what stands in for one when there is no server.

/** What the client uses of a WebSocket, and all that a mock has to have. */
export interface SocketLike {
  /** 0 connecting, 1 open, 2 closing, 3 closed, as WebSocket has it. */
  readonly readyState: number;
  /** Is set to "arraybuffer": binary messages come as ArrayBuffer. */
  binaryType: string;
  onopen: ((event: any) => void) | null;
  /** `data` is a string or an ArrayBuffer. */
  onmessage: ((event: { data: any }) => void) | null;
  onclose: ((event: { code: number; reason: string }) => void) | null;
  send(data: string | ArrayBufferLike | Uint8Array): void;
  close(code?: number, reason?: string): void;
}

/**
 * Answers a mocked event in place of what would be made up.
 *
 * It takes the arguments that the client sent. A call is answered with what it returns, or with what it throws: a
 * PlugsockError keeps its code. For a stream it returns an iterable of items, plain or async. For a view it returns the
 * value, or an async iterable of values, each of which takes the place of the one before.
 */
export type Override = (args: any, context: { signal: AbortSignal }) => unknown;

/** What goes wrong on purpose: seconds before each answer, shares of answers that fail or cut the connection. */
export interface Fault {
  latency?: number;
  error?: number;
  drop?: number;
}

/** What a mock is made from. */
export interface MockOptions {
  /** The document that `plugsock schema` prints. */
  shapes: object;
  /** By event. It is the client's own map, which `client.mock` changes: look into it for every call. */
  overrides: Map<string, Override>;
  fault?: Fault;
}

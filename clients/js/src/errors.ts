// What a promise is rejected with.

/** What the server says of a failure. */
export interface Failure {
  code: string;
  message: string;
  retry?: boolean;
  after_ms?: number;
  path?: string;
  started?: boolean;
  ref?: string;
  data?: unknown;
}

/** An `error` or a `fault` of the server, or one of the client's own in the same words. */
export class PlugsockError extends Error {
  /** One of the server's own (`ErrorCode` in the generated types), or a word of the plug's. */
  readonly code: string;
  /** Does it pay to send the same call again? */
  readonly retry: boolean;
  /** Wait so many milliseconds before that. */
  readonly afterMs?: number;
  /** With `bad_payload`: where in the arguments, as `$.count`. */
  readonly path?: string;
  /** With `worker_lost`: had the plug begun to run? */
  readonly started?: boolean;
  /** With `plug_error`: what the server's log has the traceback under. */
  readonly ref?: string;
  /** Whatever else the plug says. */
  readonly data?: any;

  constructor(failure: Failure) {
    super(failure.message);
    this.name = "PlugsockError";
    this.code = failure.code;
    this.retry = !!failure.retry;
    this.afterMs = failure.after_ms;
    this.path = failure.path;
    this.started = failure.started;
    this.ref = failure.ref;
    this.data = failure.data;
  }
}

/** The client is closed, and does not come back. */
export class Disconnected extends PlugsockError {
  constructor(
    message: string,
    /** The close code of the WebSocket. */
    readonly closeCode: number,
    /** What the server said in place of a welcome, if it did. */
    override readonly cause?: unknown,
  ) {
    super({ code: "disconnected", message });
    this.name = "Disconnected";
  }
}

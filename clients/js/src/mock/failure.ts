// Why there is no answer, as the server says it.

import { isObject, type Json } from "./json.js";

/** What stands in an `error` or a `fault`. */
export interface Failure {
  code: string;
  message: string;
  retry: boolean;
  [field: string]: Json;
}

/** What to throw in place of an answer. */
export class Failed extends Error {
  constructor(readonly failure: Failure) {
    super(failure.message);
  }
}

export function failure(code: string, message: string, more: Record<string, Json> = {}): Failure {
  return { code, message, retry: false, ...more };
}

/** What somebody's function has thrown: an error with a `code` is its answer, anything else a mistake in it. */
export function thrown(error: unknown, event: string): Failure {
  if (error instanceof Failed) {
    return error.failure;
  }
  const said = error as { code?: unknown; message?: unknown; stack?: unknown } | null | undefined;
  if (isObject(said) && typeof said.code === "string") {
    return coded(said);
  }
  const message = `What answers ${event} failed: ${said?.message ?? String(error)}`;
  return failure("plug_error", message, said?.stack ? { data: { traceback: String(said.stack) } } : {});
}

function coded(said: Record<string, any>): Failure {
  const { code, message, retry, afterMs, path, ref, started, data } = said;
  const more = Object.entries({ after_ms: afterMs, path, ref, started, data });
  const told = Object.fromEntries(more.filter(([, value]) => value !== undefined));
  return failure(code, String(message || code), { retry: Boolean(retry), ...told });
}

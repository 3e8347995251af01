// A call: one promise.

import { ask } from "./asks.js";
import { PlugsockError } from "./errors.js";
import type { Session } from "./session.js";
import type { CallOptions } from "./types.js";

/** What is to last as long as this or longer, a timer takes for nothing at all, in ms. */
const TIMER_END_MS = 2 ** 31;

/** Calls an event, once there is a connection; the promise settles, whatever becomes of that. */
export function call(session: Session, event: string, args: unknown, options: CallOptions = {}): Promise<any> {
  const { signal, timeout, key } = options;
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const asked = ask("call", event, { timeout, key }, args, (verb, payload) => {
      if (verb === "ok") settle(() => resolve(payload));
      else if (verb === "error") settle(() => reject(payload));
    });
    const giveUp = (reason: unknown) => {
      session.drop_(asked);
      settle(() => reject(reason));
    };
    const abort = () => giveUp(signal!.reason);
    const late = () => {
      // Whoever was not asked can't have done anything.
      const retry = !asked.id_;
      giveUp(new PlugsockError({ code: "timeout", message: `${event} took longer than ${timeout} s.`, retry }));
    };
    const timer = timeout! * 1000 < TIMER_END_MS ? setTimeout(late, timeout! * 1000) : undefined;
    const settle = (how: () => void) => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", abort);
      how();
    };
    signal?.addEventListener("abort", abort);
    session.ask_(asked);
  });
}

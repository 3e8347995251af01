// A stream: items as they are taken, and no faster.

import { ask } from "./asks.js";
import type { Session } from "./session.js";
import type { StreamOptions } from "./types.js";

/** Items that a stream may send before it hears `more`: the protocol's own default. */
const CREDIT = 32;

/** Opens a stream with the first item that is taken; whoever leaves the loop cancels it. */
export async function* stream(
  session: Session,
  event: string,
  args: unknown,
  { signal, timeout, credit = CREDIT }: StreamOptions = {},
): AsyncGenerator<any, void, undefined> {
  const items: unknown[] = [];
  let end: (() => void) | undefined;
  let stir = () => {};
  const asked = ask("call", event, { timeout, credit }, args, (verb, payload) => {
    if (verb === "item") items.push(payload);
    else end = () => fail(verb, payload);
    stir();
  });
  const abort = () => {
    session.drop_(asked);
    items.length = 0;
    end = () => fail("error", signal!.reason);
    stir();
  };
  signal?.throwIfAborted();
  signal?.addEventListener("abort", abort);
  try {
    session.ask_(asked);
    for (let taken = 0; ; ) {
      if (items.length) {
        yield items.shift();
        if (++taken * 2 >= credit) {
          session.more_(asked, taken);
          taken = 0;
        }
      } else if (end) return end();
      else await new Promise<void>((resolve) => (stir = resolve));
    }
  } finally {
    signal?.removeEventListener("abort", abort);
    session.drop_(asked);
  }
}

function fail(verb: string, reason: unknown): void {
  if (verb === "error") throw reason;
}

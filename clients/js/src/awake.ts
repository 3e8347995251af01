// Notices what makes it worthwhile to look at the connection: time that passes, and a machine that wakes up.

/** So often somebody looks, in ms. */
const TICK_MS = 5_000;

/**
 * Calls `tick` every few seconds, and `wake` when the network is back, when somebody looks at the page again, and when
 * the clock has jumped, because the machine slept. What is returned ends it.
 */
export function watchOver(tick: () => void, wake: () => void): () => void {
  let last = Date.now();
  const timer = setInterval(() => {
    const passed = Date.now() - last;
    last += passed;
    (passed > 2 * TICK_MS ? wake : tick)();
  }, TICK_MS);
  const events = new AbortController();
  const { signal } = events;
  const { document } = globalThis;
  globalThis.addEventListener?.("online", wake, { signal });
  document?.addEventListener("visibilitychange", () => document.visibilityState === "visible" && wake(), { signal });
  return () => {
    clearInterval(timer);
    events.abort();
  };
}

// Waiting, and what it can be cut short by.

/** What measures time; tests have one that they turn by hand. */
export interface Clock {
  setTimeout(fn: () => void, ms: number): unknown;
  clearTimeout(timer: any): void;
}

/** The browser's, looked up for each use: whoever replaces it in a test is heard. */
export const BROWSER: Clock = {
  setTimeout: (fn, ms) => setTimeout(fn, ms),
  clearTimeout: (timer) => clearTimeout(timer),
};

/** Wait so many seconds, or until something is over. */
export function pause(seconds: number, clock: Clock, over: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (over.aborted) {
      return resolve();
    }
    const done = () => {
      clock.clearTimeout(timer);
      over.removeEventListener("abort", done);
      resolve();
    };
    const timer = clock.setTimeout(done, seconds * 1000);
    over.addEventListener("abort", done);
  });
}

/** Is fulfilled as soon as something is over. */
export function ended(over: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (over.aborted) {
      resolve();
    } else {
      over.addEventListener("abort", () => resolve(), { once: true });
    }
  });
}

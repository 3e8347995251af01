// When to come back, and whether.

/** Up to so long after the first loss, and twice as long after each that follows, in ms. */
const BASE_MS = 500;
const CAP_MS = 20_000;

/**
 * How long to wait after so many failures in a row, in ms: any time up to a limit that grows, so that of a thousand
 * clients not all come at once.
 */
export function pause(failures: number): number {
  return Math.random() * Math.min(CAP_MS, BASE_MS * 2 ** failures);
}

/** Does a close code mean that a client should come back by itself? */
export function isTemporary(code: number): boolean {
  return code < 4000 ? [1001, 1005, 1006, 1011, 1012, 1013].includes(code) : code < 4500;
}

// What is open only while somebody uses it.

/** A page that changes what it shows lets go of something and takes it again at once: so long it stays open, in ms. */
const LINGER_MS = 250;

/** Opens something for whoever uses it, and closes it soon after the last one has gone. */
export class Use {
  #holds = new Set<object>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #open: () => void;
  #close: () => void;

  /** `open` is called for each user: it has nothing to do if it is open. */
  constructor(open: () => void, close: () => void) {
    this.#open = open;
    this.#close = close;
  }

  /** Holds it open until what is returned is called. */
  hold_(): () => void {
    const hold = {};
    this.#holds.add(hold);
    clearTimeout(this.#timer);
    this.#open();
    return () => {
      if (this.#holds.delete(hold) && !this.#holds.size) this.#timer = setTimeout(this.#close, LINGER_MS);
    };
  }

  /** It was closed by other means, for all that hold it. */
  forget_(): void {
    this.#holds.clear();
    clearTimeout(this.#timer);
  }
}

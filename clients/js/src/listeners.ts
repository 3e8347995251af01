// Functions that want to be told of something, and values that tell who looks at them.

/** Functions that are called in the order in which they were added. */
export class Listeners<A extends unknown[]> {
  #entries = new Set<[fn: (...args: A) => unknown]>();

  /** Calls a function from now on; what is returned ends it. */
  add_(fn: (...args: A) => unknown): () => void {
    const entry: [typeof fn] = [fn];
    this.#entries.add(entry);
    return () => void this.#entries.delete(entry);
  }

  /** Calls each; what one throws keeps nothing from the others. */
  tell_(...args: A): void {
    for (const [fn] of [...this.#entries]) guard(() => fn(...args));
  }
}

/** A value, and those who are told of it: at once, and whenever it is another one. */
export class Store<T> {
  #listeners = new Listeners<[T]>();

  constructor(public value_: T) {}

  set_(value: T): void {
    this.value_ = value;
    this.#listeners.tell_(value);
  }

  subscribe_(fn: (value: T) => unknown): () => void {
    const stop = this.#listeners.add_(fn);
    guard(() => fn(this.value_));
    return stop;
  }
}

/** Runs a function of somebody else's; what it throws is reported as if nobody had called it. */
export function guard(run: () => unknown): void {
  try {
    run();
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}

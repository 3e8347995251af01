// Chance that is the same each time: all of it follows from a text.

const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

/** Numbers that look like chance. Two seeds of one text give the same numbers in the same order. */
export class Seed {
  #state: number;

  constructor(text: string) {
    this.#state = hash(text);
  }

  /** At least 0 and below 1; the generator is mulberry32. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  /** A whole number from `low` to `high`, both included. */
  whole(low: number, high: number): number {
    return low + Math.floor(this.next() * (high - low + 1));
  }

  between(low: number, high: number): number {
    return low + this.next() * (high - low);
  }

  chance(share: number): boolean {
    return this.next() < share;
  }

  pick<T>(choices: readonly T[]): T {
    return choices[this.whole(0, choices.length - 1)] as T;
  }
}

/** FNV-1a, 32 bits, over UTF-16 units. */
function hash(text: string): number {
  let hashed = FNV_OFFSET;
  for (let at = 0; at < text.length; at++) {
    hashed = Math.imul(hashed ^ text.charCodeAt(at), FNV_PRIME);
  }
  return hashed;
}

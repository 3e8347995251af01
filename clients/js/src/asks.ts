// What a client asks: from the frame that opens an id to its one end.

import { encode, options as written } from "./frames.js";

/** How far an ask has come is said by `ok` and `error`, which end it, and by `item`, `patch` and `fault`. */
export type Hear = (verb: string, payload: any) => void;

/** Something that is asked, again with another id if it turns out that it was not received. */
export interface Ask {
  readonly verb_: string;
  /** The event or the topic, and its options. */
  readonly name_: string;
  readonly payload_: string | Uint8Array;
  readonly hear_: Hear;
  /** What its frames are known by; 0 until it is said. */
  id_: number;
  /** Items, patches and faults that have come. */
  count_: number;
}

/** Names can't have anything in them that would end a part of the header. */
const NAME = /^[\w.:/-]{1,128}$/;

/** A name as it is, if it can be one; a TypeError, if it can't. */
export function checked(name: string): string {
  if (!NAME.test(name)) throw new TypeError(`"${name}" can't be a name: it is 1 to 128 of A-Z a-z 0-9 _ . : / -`);
  return name;
}

/**
 * Something to ask. The arguments are read now, so that it does not matter what becomes of them later.
 *
 * An error is heard as a PlugsockError, or as whatever else ended it.
 */
export function ask(verb: string, name: string, options: Record<string, unknown>, args: unknown, hear: Hear): Ask {
  const header = checked(name) + written(options);
  return { verb_: verb, name_: header, payload_: encode(args), hear_: hear, id_: 0, count_: 0 };
}

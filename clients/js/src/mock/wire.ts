// Frames as a server reads and writes them. docs/protocol.md has the whole table.

import type { Json } from "./json.js";
import { encoded } from "./msgpack.js";

/** What a client says. `payload` is text or bytes, as it came; both are empty if there is none. */
export interface Request {
  verb: string;
  id: string;
  name: string;
  options: ReadonlyMap<string, string>;
  payload: string | Uint8Array;
}

/** What comes back: JSON, or bytes that go out as they are. */
export type Payload = Json | Uint8Array;

export class BadFrame extends Error {
  constructor(
    message: string,
    /** Whose frame it was, if it says so. */
    readonly id?: string,
  ) {
    super(message);
  }
}

/** The parts in front of the payload; whether one may follow. */
const PARTS: Record<string, [number, boolean]> = {
  hello: [3, true],
  token: [3, true],
  call: [3, true],
  watch: [3, true],
  more: [3, false],
  cancel: [2, false],
  join: [3, false],
  leave: [3, false],
  ping: [1, false],
};
const ID = /^[1-9]\d{0,15}$/;
const NAME = /^[A-Za-z0-9_.:/-]{1,128}(\?[A-Za-z0-9._~&=-]*)?$/;
const LONGEST_HEADER = 512;

/** Take a frame apart; a binary one gives a binary payload. */
export function read(message: string | Uint8Array): Request {
  const text = typeof message === "string" ? message : latin(message.subarray(0, LONGEST_HEADER + 1));
  const verb = /^[a-z]*/.exec(text)![0];
  if (!Object.hasOwn(PARTS, verb)) {
    throw new BadFrame(`The verb must be one of ${Object.keys(PARTS).join(", ")}.`);
  }
  const [count, hasPayload] = PARTS[verb]!;
  const { parts, rest } = split(hasPayload ? text : text.replace(/\n$/, ""), count);
  const [, id = "", name = ""] = parts;
  const isNamed = count < 3 || NAME.test(name);
  if (parts.length < count || (rest !== undefined && !hasPayload) || !isNamed || !isId(id, verb)) {
    throw new BadFrame(`This is no frame that begins with ${verb}.`, ID.test(id) ? id : undefined);
  }
  const at = rest ?? text.length;
  const payload = rest === undefined ? message.slice(0, 0) : message.slice(at);
  return { verb, id, ...named(name), payload };
}

function isId(id: string, verb: string): boolean {
  return verb === "ping" || ID.test(id) || (verb === "call" && id === "0");
}

/** The words of a header, and where what follows them begins. */
function split(text: string, count: number): { parts: string[]; rest?: number } {
  const parts: string[] = [];
  let at = 0;
  while (parts.length < count) {
    const end = text.indexOf(" ", at);
    parts.push(text.slice(at, end < 0 ? undefined : end));
    if (end < 0) {
      return { parts };
    }
    at = end + 1;
  }
  return { parts, rest: at };
}

function named(text: string): { name: string; options: Map<string, string> } {
  const [name = "", options = ""] = text.split("?");
  const pairs = options.split("&").map((each) => each.split("=") as [string, string?]);
  return { name, options: new Map(pairs.map(([key, value]) => [key, value ?? ""])) };
}

/** Put a frame together. Bytes make it binary; `isBinary` does so to a value, as MessagePack. */
export function written(header: string, payload: Payload | undefined, isBinary: boolean): string | ArrayBuffer {
  if (payload instanceof Uint8Array) {
    return joined(header, payload);
  }
  if (isBinary) {
    return joined(header, payload === undefined ? new Uint8Array() : encoded(payload));
  }
  return payload === undefined ? header : `${header} ${JSON.stringify(payload)}`;
}

function joined(header: string, payload: Uint8Array): ArrayBuffer {
  const head = new TextEncoder().encode(payload.length ? `${header} ` : header);
  const frame = new Uint8Array(head.length + payload.length);
  frame.set(head);
  frame.set(payload, head.length);
  return frame.buffer;
}

function latin(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}

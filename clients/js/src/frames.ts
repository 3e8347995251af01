// Frames: a short ASCII header and a payload. docs/protocol.md has the whole table.

import { decode } from "./msgpack.js";

/** Verb, first token, payload; of a push its event as well, options and all. */
export type Frame = [verb: string, token: string, payload: any, event: string];

/** The longest header there is, and room for what is longer by mistake. */
const MAX_HEADER = 1024;

/** What stands behind an event's name: `?a=1&b`, or nothing. Without end is as good as left out. */
export function options(values: Record<string, unknown>): string {
  const parts = Object.entries(values)
    .filter(([, value]) => value != null && value !== false && value !== Infinity)
    .map(([key, value]) => (value === true ? key : `${key}=${optionValue(value)}`));
  return parts.length ? "?" + parts.join("&") : "";
}

function optionValue(value: unknown): unknown {
  if (/^[\w.~-]+$/.test(`${value}`)) return value;
  throw new TypeError(`"${value}" can't be an option: it is of A-Z a-z 0-9 . _ ~ -`);
}

/** Arguments as they go out: a copy of bytes, for a binary frame; anything else as JSON; undefined as nothing. */
export function encode(args: unknown): string | Uint8Array {
  if (args instanceof ArrayBuffer) return new Uint8Array(args).slice();
  if (ArrayBuffer.isView(args)) return new Uint8Array(args.buffer, args.byteOffset, args.byteLength).slice();
  return JSON.stringify(args) ?? "";
}

/** A frame of a header and a payload. */
export function join(header: string, payload: string | Uint8Array): string | Uint8Array {
  if (typeof payload === "string") return payload ? `${header} ${payload}` : header;
  const head = new TextEncoder().encode(header + " ");
  const frame = new Uint8Array(head.length + payload.length);
  frame.set(head);
  frame.set(payload, head.length);
  return frame;
}

/**
 * Takes a frame of the server apart. The payload of a text frame is JSON; that of a binary one stays as it is, but for
 * an error's, which is MessagePack.
 */
export function parse(data: string | ArrayBuffer): Frame {
  const isText = typeof data === "string";
  const text = isText ? data : String.fromCharCode(...new Uint8Array(data, 0, Math.min(data.byteLength, MAX_HEADER)));
  let at = 0;
  const word = () => {
    const end = text.indexOf(" ", at);
    const found = text.slice(at, end < 0 ? undefined : end);
    at = end < 0 ? text.length : end + 1;
    return found;
  };
  const verb = word();
  const token = word();
  const event = verb === "push" ? word() : "";
  const read = (): unknown => {
    if (!isText) return verb === "error" ? decode(new Uint8Array(data, at)) : new Uint8Array(data, at);
    return at < text.length ? JSON.parse(text.slice(at)) : null;
  };
  return [verb, token, read(), event];
}

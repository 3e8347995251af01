// MessagePack of values that JSON can say: what a binary frame is answered with.

import type { Json } from "./json.js";

/** Write one value. */
export function encoded(value: Json): Uint8Array {
  const out: number[] = [];
  write(value, out);
  return Uint8Array.from(out);
}

function write(value: Json, out: number[]): void {
  if (value === null || typeof value === "boolean") {
    out.push(value === null ? 0xc0 : value ? 0xc3 : 0xc2);
  } else if (typeof value === "number") {
    number(value, out);
  } else if (typeof value === "string") {
    const bytes = new TextEncoder().encode(value);
    head(bytes.length, out, [0xa0, 32], 0xda);
    bytes.forEach((byte) => out.push(byte));
  } else if (Array.isArray(value)) {
    head(value.length, out, [0x90, 16], 0xdc);
    value.forEach((item) => write(item, out));
  } else {
    const entries = Object.entries(value);
    head(entries.length, out, [0x80, 16], 0xde);
    entries.flat().forEach((part) => write(part, out));
  }
}

/** How long something is: in the tag itself below a limit, else behind it in two bytes or four. */
function head(length: number, out: number[], [short, limit]: [number, number], long: number): void {
  if (length < limit) {
    out.push(short | length);
  } else {
    const isWide = length > 0xffff;
    out.push(isWide ? long + 1 : long, ...bigEndian(4, (view) => view.setUint32(0, length)).slice(isWide ? 0 : 2));
  }
}

function number(value: number, out: number[]): void {
  if (Number.isInteger(value) && value >= -32 && value < 128 && !Object.is(value, -0)) {
    out.push(value & 0xff);
  } else if (Number.isSafeInteger(value)) {
    out.push(0xd3, ...bigEndian(8, (view) => view.setBigInt64(0, BigInt(value))));
  } else {
    out.push(0xcb, ...bigEndian(8, (view) => view.setFloat64(0, value)));
  }
}

function bigEndian(size: number, set: (view: DataView) => void): Uint8Array {
  const view = new DataView(new ArrayBuffer(size));
  set(view);
  return new Uint8Array(view.buffer);
}

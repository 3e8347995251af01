// MessagePack, as far as errors need it: the answer to a binary frame is binary, and so is the error in its place.

/** Decodes one value. Extensions, of which an error has none, are an Error. */
export function decode(bytes: Uint8Array): unknown {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let at = 0;
  const uint = (size: number): number => {
    let value = 0;
    while (size--) value = value * 256 + bytes[at++]!;
    return value;
  };
  const int = (size: number): number => {
    const value = uint(size);
    const limit = 256 ** size;
    return value < limit / 2 ? value : value - limit;
  };
  const raw = (length: number) => bytes.subarray(at, (at += length));
  const text = (length: number) => new TextDecoder().decode(raw(length));
  const list = (length: number) => Array.from({ length }, value);
  const map = (length: number) => Object.fromEntries(Array.from({ length }, () => [value(), value()]));
  function value(): unknown {
    const tag = bytes[at++]!;
    if (tag < 0x80) return tag;
    if (tag < 0x90) return map(tag & 15);
    if (tag < 0xa0) return list(tag & 15);
    if (tag < 0xc0) return text(tag & 31);
    if (tag > 0xdf) return tag - 256;
    if (tag < 0xc4) return [null, null, false, true][tag & 3];
    if (tag < 0xc7) return raw(uint(1 << (tag - 0xc4)));
    if (tag === 0xca) return view.getFloat32((at += 4) - 4);
    if (tag === 0xcb) return view.getFloat64((at += 8) - 8);
    if (tag > 0xcb && tag < 0xd0) return uint(1 << (tag - 0xcc));
    if (tag > 0xcf && tag < 0xd4) return int(1 << (tag - 0xd0));
    if (tag > 0xd8 && tag < 0xdc) return text(uint(1 << (tag - 0xd9)));
    if (tag > 0xdb && tag < 0xde) return list(uint(2 << (tag - 0xdc)));
    if (tag > 0xdd) return map(uint(2 << (tag - 0xde)));
    throw new Error(`MessagePack has 0x${tag.toString(16)} here`);
  }
  return value();
}

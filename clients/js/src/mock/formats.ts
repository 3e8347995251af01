// Texts in forms that a schema can ask for: how to write one, and whether a text is one.

import { compiled } from "./pattern.js";
import type { Seed } from "./seed.js";
import { clock, day, email, host, moment, url } from "./words.js";

/** What plugsock writes for forms that validators do not know, and which have nicer texts than any that fits. */
export const DURATION = String.raw`^[+-]?P(?!$)(\d+W)?(\d+D)?(T(?=\d)(\d+H)?(\d+M)?(\d+(\.\d+)?S)?)?$`;
export const DECIMAL = String.raw`^[+-]?((\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?|NaN|Infinity)$`;
export const BASE64 = "^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$";

const CLOCK = String.raw`([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d+)?`;
const DATE = String.raw`\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])`;
const ZONE = String.raw`([Zz]|[+-]([01]\d|2[0-3]):?[0-5]\d)`;
const LOCAL_DATETIME = `^${DATE}[Tt ]${CLOCK}$`;
const ANY_DATETIME = `^${DATE}[Tt ]${CLOCK}${ZONE}?$`;
const LOCAL_TIME = `^${CLOCK}$`;
const ANY_TIME = `^${CLOCK}${ZONE}?$`;

const INVALID_DATETIME = "Invalid RFC3339 encoded datetime";
const INVALID_TIME = "Invalid RFC3339 encoded time";

interface Form {
  /** What msgspec says of a text that is none. */
  invalid: string;
  fits: RegExp;
  write: (seed: Seed) => string;
}

const FORMATS: Record<string, Form> = {
  "date-time": {
    invalid: INVALID_DATETIME,
    fits: new RegExp(`^${DATE}[Tt ]${CLOCK}${ZONE}$`),
    write: moment,
  },
  date: { invalid: "Invalid RFC3339 encoded date", fits: new RegExp(`^${DATE}$`), write: day },
  time: {
    invalid: INVALID_TIME,
    fits: new RegExp(`^${CLOCK}${ZONE}$`),
    write: (seed) => `${clock(seed)}Z`,
  },
  uuid: { invalid: "Invalid UUID", fits: /^[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}$/i, write: uuid },
  email: { invalid: "Invalid email address", fits: /^[^@\s]+@[^@\s]+$/, write: email },
  uri: { invalid: "Invalid URI", fits: /^[A-Za-z][A-Za-z0-9+.-]*:\S+$/, write: url },
  hostname: { invalid: "Invalid hostname", fits: /^[A-Za-z0-9.-]+$/, write: host },
  ipv4: {
    invalid: "Invalid IPv4 address",
    fits: /^(\d{1,3}\.){3}\d{1,3}$/,
    write: (seed) => `192.0.2.${seed.whole(1, 254)}`,
  },
  ipv6: {
    invalid: "Invalid IPv6 address",
    fits: /^[0-9A-Fa-f:.]+$/,
    write: (seed) => `2001:db8::${seed.whole(1, 9999)}`,
  },
};

const PATTERNS: Record<string, Form> = {
  [DURATION]: {
    invalid: "Invalid ISO8601 duration",
    fits: compiled(DURATION)!,
    write: (seed) => `PT${seed.whole(1, 23)}H${seed.whole(1, 59)}M`,
  },
  [DECIMAL]: {
    invalid: "Invalid decimal string",
    fits: compiled(DECIMAL)!,
    write: (seed) => seed.between(1, 200).toFixed(2),
  },
  [LOCAL_DATETIME]: {
    invalid: INVALID_DATETIME,
    fits: compiled(LOCAL_DATETIME)!,
    write: (seed) => `${day(seed)}T${clock(seed)}`,
  },
  [ANY_DATETIME]: { invalid: INVALID_DATETIME, fits: compiled(ANY_DATETIME)!, write: moment },
  [LOCAL_TIME]: { invalid: INVALID_TIME, fits: compiled(LOCAL_TIME)!, write: clock },
  [ANY_TIME]: { invalid: INVALID_TIME, fits: compiled(ANY_TIME)!, write: clock },
  [BASE64]: {
    invalid: "Invalid base64 encoded string",
    fits: compiled(BASE64)!,
    write: (seed) => base64(12, seed),
  },
};

/** The form that a schema asks for by its format, or by a pattern that plugsock writes in place of one. */
export function form({ format, pattern }: { format?: string; pattern?: string }): Form | undefined {
  return own(PATTERNS, pattern) ?? own(FORMATS, format);
}

/** So many bytes, as they go over the wire. */
export function base64(length: number, seed: Seed): string {
  return btoa(String.fromCharCode(...bytes(length, seed)));
}

export function bytes(length: number, seed: Seed): Uint8Array {
  return Uint8Array.from({ length }, () => seed.whole(0, 255));
}

/** A UUID of version 4. */
function uuid(seed: Seed): string {
  const digits = (count: number) => Array.from({ length: count }, () => seed.whole(0, 15).toString(16)).join("");
  return `${digits(8)}-${digits(4)}-4${digits(3)}-${seed.pick([..."89ab"])}${digits(3)}-${digits(12)}`;
}

function own<T>(table: Record<string, T>, name: string | undefined): T | undefined {
  return name !== undefined && Object.hasOwn(table, name) ? table[name] : undefined;
}

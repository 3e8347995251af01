// Texts that look like what a field's name says.

import type { Seed } from "./seed.js";

const FIRST = ["Ada", "Bob", "Chen", "Dora", "Emil", "Fatima", "Grace", "Hugo", "Ines", "Jonas", "Kira", "Linus"];
const LAST = ["Lovelace", "Moreau", "Nakamura", "Okafor", "Petrov", "Quinn", "Rossi", "Silva", "Tanaka", "Weber"];
const WORDS = [
  ..."amber anchor autumn basket bridge candle cedar cloud copper coral delta ember feather forest garden".split(" "),
  ..."harbour hazel island kettle lantern lemon linen maple meadow mint moon nutmeg oak olive orchard".split(" "),
  ..."paper pebble pepper pine plum quartz rain river saffron sail silver spruce stone tea thistle valley".split(" "),
];
const CITIES = ["Amsterdam", "Bergen", "Cork", "Dresden", "Evora", "Florence", "Ghent", "Helsinki", "Izmir", "Kyoto"];
const COUNTRIES = ["Denmark", "Ireland", "Italy", "Japan", "Kenya", "Norway", "Peru", "Portugal"];
const COLOURS = ["amber", "black", "blue", "coral", "green", "indigo", "red", "teal", "violet", "white"];

const BY_NAME: [RegExp, (seed: Seed) => string][] = [
  [/e_?mail$/, email],
  [/(^|_)(ur[il]|link|href|website|homepage)$/, url],
  [/(^|_)host(name)?$/, host],
  [/(first|given)_?name$/, (seed) => seed.pick(FIRST)],
  [/(last|family|sur)_?name$/, (seed) => seed.pick(LAST)],
  [/file_?name$|(^|_)file$/, (seed) => `${seed.pick(WORDS)}.pdf`],
  [/(^|_)(name|author|owner|user|customer|sender|creator)$/, person],
  [/(^|_)city$/, (seed) => seed.pick(CITIES)],
  [/(^|_)country$/, (seed) => seed.pick(COUNTRIES)],
  [/(^|_)(street|address)$/, (seed) => `${seed.whole(1, 99)} ${capital(seed.pick(WORDS))} Street`],
  [/(^|_)(phone|mobile|tel)$/, (seed) => `+49 30 ${seed.whole(1000000, 9999999)}`],
  [/(^|_)currency$/, (seed) => seed.pick(["EUR", "GBP", "JPY", "USD"])],
  [/(^|_)(lang|language|locale)$/, (seed) => seed.pick(["de", "en", "fr", "pt"])],
  [/(^|_)colou?r$/, (seed) => seed.pick(COLOURS)],
  [/(^|_)(title|subject|headline|label|product)$/, (seed) => capital(`${seed.pick(WORDS)} ${seed.pick(WORDS)}`)],
  [/(^|_)(text|message|description|body|comment|note|summary|content|doc)$/, sentence],
  [/(^|_)(id|key|code|token|ref|hash|number)$/, code],
  [/(^|_)(sku|slug)$/, (seed) => `${seed.pick(WORDS)}-${seed.whole(10, 99)}`],
  [/(^|_)(at|time|timestamp|created|updated|when|since|until|now|ticks?)$/, moment],
  [/(^|_)(date|day|birthday)$/, day],
];

/** A text for a field of this name; any word if the name says nothing. */
export function named(name: string, seed: Seed): string {
  const plain = name.replaceAll(/([a-z0-9])([A-Z])/g, "$1_$2").toLowerCase();
  const found = BY_NAME.find(([pattern]) => pattern.test(plain));
  return found ? found[1](seed) : word(seed);
}

export function word(seed: Seed): string {
  return seed.pick(WORDS);
}

export function person(seed: Seed): string {
  return `${seed.pick(FIRST)} ${seed.pick(LAST)}`;
}

export function email(seed: Seed): string {
  return `${seed.pick(FIRST)}.${seed.pick(LAST)}@example.org`.toLowerCase();
}

export function host(seed: Seed): string {
  return `${seed.pick(WORDS)}.example.org`;
}

export function url(seed: Seed): string {
  return `https://example.org/${seed.pick(WORDS)}/${seed.pick(WORDS)}`;
}

export function sentence(seed: Seed): string {
  const words = Array.from({ length: seed.whole(4, 8) }, () => seed.pick(WORDS));
  return capital(`${words.join(" ")}.`);
}

/** A day of 2026: near enough to now, and the same whenever it is asked for. */
export function day(seed: Seed): string {
  return new Date(Date.UTC(2026, 0, seed.whole(1, 365))).toISOString().slice(0, 10);
}

export function clock(seed: Seed): string {
  const parts = [seed.whole(0, 23), seed.whole(0, 59), seed.whole(0, 59)];
  return parts.map((part) => String(part).padStart(2, "0")).join(":");
}

export function moment(seed: Seed): string {
  return `${day(seed)}T${clock(seed)}Z`;
}

function code(seed: Seed): string {
  return Array.from({ length: 8 }, () => seed.pick([..."23456789abcdefghjkmnpqrstuvwxyz"])).join("");
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

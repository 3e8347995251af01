// Texts that fit a regular expression: classes, groups, alternatives and repetitions. What looks around is passed over
// here, so whoever asks has to look whether a text fits, and ask again if not.

import type { Seed } from "./seed.js";

/** A part of an expression: writes a text that fits it. `spread` is how often more than asked for something repeats. */
type Part = (seed: Seed, spread: number) => string;

const PRINTABLE = span(0x20, 0x7e);
const DIGITS = span(0x30, 0x39);
const LETTERS = span(0x61, 0x7a) + span(0x41, 0x5a);
const PLAIN = LETTERS + DIGITS;
const CLASSES: Record<string, string> = { d: DIGITS, w: `${PLAIN}_`, s: " " };
const CONTROLS: Record<string, string> = { n: "\n", t: "\t", r: "\r", f: "\f", v: "\v", 0: "\0" };
const OTHERS: Record<string, string> = { D: "d", W: "w", S: "s" };
/** Python's way to say flags. */
const FLAGS = /^\(\?([a-zA-Z]+)\)/;
/** Letters that, behind a backslash, stand for a place in the text. */
const PLACES = "bBAZz";

/** Read an expression; what can't be read is taken for what it looks like. */
export function texts(pattern: string): Part {
  return new Reader(pattern.replace(FLAGS, "")).alternatives();
}

/** The same expression as the browser reads it, null if it can't; Python's words for names and flags are known. */
export function compiled(pattern: string): RegExp | null {
  const flags = (FLAGS.exec(pattern)?.[1] ?? "").replaceAll(/[^ims]/g, "");
  const body = pattern.replace(FLAGS, "").replaceAll("(?P<", "(?<");
  const plain = body.replaceAll("\\A", "^").replaceAll(/\\[Zz]/g, "$");
  return expression(plain, `${flags}u`) ?? expression(plain, flags); // without `u` it takes `\-`, as Python does
}

function expression(pattern: string, flags: string): RegExp | null {
  try {
    return new RegExp(pattern, flags);
  } catch {
    return null;
  }
}

class Reader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  alternatives(): Part {
    const choices = [this.#sequence()];
    while (this.#takes("|")) {
      choices.push(this.#sequence());
    }
    return choices.length === 1 ? choices[0]! : (seed, spread) => seed.pick(choices)(seed, spread);
  }

  #sequence(): Part {
    const parts: Part[] = [];
    while (this.#at < this.#text.length && !"|)".includes(this.#next())) {
      parts.push(this.#repeated(this.#atom()));
    }
    return (seed, spread) => parts.map((part) => part(seed, spread)).join("");
  }

  #repeated(part: Part): Part {
    const found = this.#match(/[*+?]|\{(\d*)(,?)(\d*)\}/y);
    if (!found) {
      return part;
    }
    this.#match(/[?+]/y); // lazy or possessive: all the same to who writes
    const [low, high] = times(found);
    return (seed, spread) => {
      const count = seed.whole(low, Math.min(high, low + spread));
      return Array.from({ length: count }, () => part(seed, spread)).join("");
    };
  }

  #atom(): Part {
    if (this.#takes("(")) {
      return this.#group();
    }
    if (this.#takes("[")) {
      return one(this.#set());
    }
    if (this.#takes("\\")) {
      return this.#place() ? nothing : one(this.#escaped());
    }
    const character = this.#take();
    return "^$".includes(character) ? nothing : one(character === "." ? PLAIN : character);
  }

  #group(): Part {
    const looks = this.#match(/\?<?[=!]/y);
    this.#match(/\?(:|P?<\w+>|[a-z]+:)/y);
    const inner = this.alternatives();
    this.#takes(")");
    return looks ? nothing : inner;
  }

  /** The characters of a class, of which `[` was taken. */
  #set(): string {
    const isExcluding = this.#takes("^");
    let found = "";
    while (this.#at < this.#text.length && !this.#takes("]")) {
      found += this.#member();
    }
    return isExcluding ? without(found) : found;
  }

  #member(): string {
    const low = this.#takes("\\") ? this.#escaped() : this.#take();
    if (this.#next() !== "-" || this.#text[this.#at + 1] === "]" || low.length !== 1) {
      return low;
    }
    this.#take();
    const high = this.#takes("\\") ? this.#escaped() : this.#take();
    return span(low.codePointAt(0)!, high.codePointAt(0)!);
  }

  #place(): boolean {
    return this.#next() !== "" && PLACES.includes(this.#next()) && this.#take() !== "";
  }

  /** What may stand where an escape stands, of which the backslash was taken. */
  #escaped(): string {
    const code = this.#match(/x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})/y);
    if (code) {
      return String.fromCharCode(parseInt(code[1] ?? code[2]!, 16));
    }
    const letter = this.#take();
    return CLASSES[letter] ?? CONTROLS[letter] ?? (letter in OTHERS ? without(CLASSES[OTHERS[letter]!]!) : letter);
  }

  #next(): string {
    return this.#text[this.#at] ?? "";
  }

  #take(): string {
    return this.#text[this.#at++] ?? "";
  }

  #takes(character: string): boolean {
    const is = this.#next() === character;
    this.#at += is ? 1 : 0;
    return is;
  }

  #match(sticky: RegExp): RegExpExecArray | null {
    sticky.lastIndex = this.#at;
    const found = sticky.exec(this.#text);
    this.#at += found?.[0].length ?? 0;
    return found;
  }
}

const nothing: Part = () => "";

function one(characters: string): Part {
  const choices = [...characters];
  return (seed) => (choices.length ? seed.pick(choices) : "");
}

function times([all, low, comma, high]: RegExpExecArray): [number, number] {
  const plain: Record<string, [number, number]> = { "*": [0, Infinity], "+": [1, Infinity], "?": [0, 1] };
  return plain[all] ?? [Number(low), comma ? (high ? Number(high) : Infinity) : Number(low)];
}

function span(low: number, high: number): string {
  return Array.from({ length: Math.max(high - low + 1, 0) }, (_, index) => String.fromCodePoint(low + index)).join("");
}

/** All but some, of letters and digits if there are such. */
function without(excluded: string): string {
  const left = (of: string) => [...of].filter((each) => !excluded.includes(each)).join("");
  return left(PLAIN) || left(PRINTABLE);
}

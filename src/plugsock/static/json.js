// JSON for people: laid out without being parsed, so that 5.0 stays 5.0 and no digit of a long number is lost.

import { element } from "./elements.js";

const SHOWN_CHARACTERS = 100_000; // of a value; more of them only slow a browser down
const TOKENS = /"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g;

export function written(json) {
  const value = element("code", "value");
  if (json.length > SHOWN_CHARACTERS) {
    value.textContent = `${json.slice(0, SHOWN_CHARACTERS)} … (${json.length.toLocaleString("en")} characters in all)`;
    return value;
  }
  const tokens = json.match(TOKENS) ?? [];
  let depth = 0;
  tokens.forEach((token, at) => {
    const next = tokens[at + 1];
    const line = () => `\n${"  ".repeat(depth)}`;
    if (token === "{" || token === "[") {
      depth += 1;
      value.append(token, next === "}" || next === "]" ? "" : line());
    } else if (token === "}" || token === "]") {
      depth -= 1;
      const isEmpty = tokens[at - 1] === "{" || tokens[at - 1] === "[";
      value.append(isEmpty ? "" : line(), token);
    } else if (token === ",") {
      value.append(token, line());
    } else if (token === ":") {
      value.append(": ");
    } else {
      value.append(element("span", `json-${kindOf(token, next)}`, token));
    }
  });
  return value;
}

function kindOf(token, next) {
  if (token.startsWith('"')) return next === ":" ? "key" : "string";
  return /^[-\d]/.test(token) ? "number" : "word";
}

export function whyNotJson(text) {
  try {
    JSON.parse(text);
    return "";
  } catch (error) {
    return `This is not JSON: ${error.message}`;
  }
}

// An example of what an event takes, made from its shape: `(name: str, times: int = 1)` gives {"name": ""}.

export function example(shape) {
  if (shape === "raw") return '"hello"';
  const open = shape.indexOf("(");
  if (open < 0 || !shape.endsWith(")")) return JSON.stringify(exampleOf(shape), null, 2);
  const fields = {};
  for (const part of topLevel(shape.slice(open + 1, -1))) {
    const [, name, type, rest] = /^\s*(\w[^:]*):\s*(.*?)(\s=\s.*)?$/s.exec(part) ?? [];
    if (name && rest === undefined) fields[name] = exampleOf(type);
  }
  return JSON.stringify(fields, null, 2);
}

function exampleOf(type) {
  const literal = /^Literal\[(?:'([^']*)'|(-?\d+))/.exec(type);
  if (literal) return literal[1] ?? Number(literal[2]);
  if (/(^|\| )None\b|^Any$/.test(type)) return null;
  if (/^(int|float|Decimal)\b/.test(type)) return 0;
  if (/^bool\b/.test(type)) return false;
  if (/^(list|set|frozenset|tuple|Sequence|Iterable|Collection)\b/i.test(type)) return [];
  if (/^(str|bytes|date|time|datetime|timedelta|UUID)\b/.test(type)) return "";
  return {};
}

// The parts between commas that stand in no bracket and no quotes.
function topLevel(text) {
  const parts = [""];
  let depth = 0;
  for (const piece of text.match(/'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|[^]/g) ?? []) {
    depth += "([{".includes(piece) - ")]}".includes(piece);
    if (piece === "," && depth === 0) parts.push("");
    else parts[parts.length - 1] += piece;
  }
  return parts.filter((part) => part.trim());
}

"""The mock of the JavaScript client, run by node: conversations with it, on a clock that tests turn by hand."""

import json
from pathlib import Path

from support.js_build import node

PRELUDE = """
import { readFileSync, writeFileSync } from "node:fs";
import { mockSocket } from "./plugsock-mock.js";

const given = JSON.parse(readFileSync("given.json", "utf8"));
const heard = [], closed = [], overrides = new Map(), timers = new Set();
let now = 0, socket;
const clock = {
  setTimeout: (fn, ms) => { const timer = { at: now + ms, fn }; timers.add(timer); return timer; },
  clearTimeout: (timer) => timers.delete(timer),
};
const settled = () => new Promise(setImmediate);  // all that was promised by now is done first
async function pass(seconds) {
  const end = now + seconds * 1000;
  for (await settled(); ; await settled()) {
    const next = [...timers].filter(({ at }) => at <= end).sort((one, other) => one.at - other.at)[0];
    if (!next) break;
    now = next.at;
    timers.delete(next);
    next.fn();
  }
  now = end;
}
async function open(options = {}) {
  socket = mockSocket({ shapes: given.shapes, overrides, clock, ...options });
  socket.onmessage = ({ data }) => heard.push(typeof data === "string" ? data : [...new Uint8Array(data)]);
  socket.onclose = ({ code }) => closed.push(code);
  await new Promise((opened) => { socket.onopen = opened; });
}
const say = async (...frames) => { frames.forEach((frame) => socket.send(frame)); await settled(); };
"""
"""What the scripts say: `open` a socket, `say` frames, let time `pass`, and look at what was `heard`."""


def run(folder: Path, script: str, **given):
    """What a script returns, in a process of its own; `given` is there as an object."""
    (folder / "given.json").write_text(json.dumps(given), encoding="utf-8")
    body = f"{PRELUDE}\nconst result = await (async () => {{ {script} }})();"
    end = 'writeFileSync("result.json", JSON.stringify(result ?? null));'
    (folder / "script.mjs").write_text(f"{body}\n{end}\n", encoding="utf-8")
    done = node("script.mjs", cwd=folder)
    assert done.returncode == 0, done.stderr
    return json.loads((folder / "result.json").read_text(encoding="utf-8"))

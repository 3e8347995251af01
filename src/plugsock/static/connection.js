// The connection: frames as docs/protocol.md has them. It comes back by itself unless it is told to stay away.

const CREDIT = 32; // items that a stream may send before it hears `more`: the protocol's own default
const RETRY_MS = [250, 500, 1_000, 2_000, 5_000];

export class Connection {
  #socket = null;
  #calls = new Map(); // id -> what hears of it
  #lastId = 0;
  #failures = 0;
  #timer = 0;
  #retryMs = null; // what the server asked for when it said goodbye

  constructor({ onState, onNotice }) {
    this.onState = onState;
    this.onNotice = onNotice;
  }

  get isOpen() {
    return this.#socket?.readyState === WebSocket.OPEN;
  }

  open() {
    clearTimeout(this.#timer);
    this.#timer = 0; // else `hurry` would open a second one beside it
    const socket = new WebSocket(location.origin.replace(/^http/, "ws") + "/", "plugsock.v1");
    this.#socket = socket;
    socket.onopen = () => {
      this.#failures = 0;
      this.#retryMs = null;
      this.onState("open");
    };
    socket.onmessage = (message) => this.#receive(message.data);
    socket.onclose = (close) => this.#lost(close);
  }

  // Tries at once what it would have tried later: the network is back, somebody looks at the page again.
  hurry() {
    if (this.#timer) this.open();
  }

  // Opens a call; `heard` has `item(json)`, `ok(json)`, `error(fault)` and `lost()`. Its id is returned.
  call(event, payload, isStream, heard) {
    const id = String(++this.#lastId);
    this.#calls.set(id, heard);
    this.#socket.send(`call ${id} ${event}${isStream ? `?credit=${CREDIT}` : ""} ${payload}`);
    return id;
  }

  more(id, count) {
    if (this.isOpen && this.#calls.has(id)) this.#socket.send(`more ${id} ${count}`);
  }

  cancel(id) {
    if (this.isOpen && this.#calls.has(id)) this.#socket.send(`cancel ${id}`);
  }

  // Ends a call of which nobody wants to hear any more.
  leave(id) {
    this.cancel(id);
    this.#calls.delete(id);
  }

  #receive(frame) {
    const [verb, token, payload] = split(frame);
    const heard = this.#calls.get(token);
    if (verb === "notice") {
      const data = JSON.parse(payload);
      if (token === "goodbye") this.#retryMs = data.retry_ms;
      this.onNotice(token, data);
    } else if (verb === "item") {
      heard?.item(payload);
    } else if (verb === "ok" || verb === "error") {
      this.#calls.delete(token);
      if (verb === "ok") heard?.ok(payload);
      else heard?.error(JSON.parse(payload));
    }
  }

  #lost(close) {
    for (const heard of this.#calls.values()) heard.lost();
    this.#calls.clear();
    this.#timer = 0;
    if (!isTemporary(close.code)) {
      this.onState("closed", close);
      return;
    }
    const steps = RETRY_MS[Math.min(this.#failures++, RETRY_MS.length - 1)];
    const wait = this.#retryMs ?? steps * (0.75 + Math.random() / 2);
    this.#retryMs = null;
    this.#timer = setTimeout(() => this.open(), wait);
    this.onState("waiting");
  }
}

// The first two words and the rest, spaces and all.
function split(frame) {
  const first = frame.indexOf(" ");
  const second = first < 0 ? -1 : frame.indexOf(" ", first + 1);
  if (second < 0) return first < 0 ? [frame, "", ""] : [frame.slice(0, first), frame.slice(first + 1), ""];
  return [frame.slice(0, first), frame.slice(first + 1, second), frame.slice(second + 1)];
}

function isTemporary(code) {
  return code < 4000 ? [1001, 1005, 1006, 1011, 1012, 1013].includes(code) : code < 4500;
}

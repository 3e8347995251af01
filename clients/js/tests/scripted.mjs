// A WebSocket whose other side is the test, and a client on it. What is tested is the file that browsers get.

import { afterEach, beforeEach, mock } from "node:test";

import { connect } from "../../../src/plugsock/static/plugsock.js";

/** Clients of the test that runs. */
const clients = [];

/** Has each test of a file turn the clock itself, wait half as long as it might to come back, and leave no client. */
export function turnTheClock() {
  beforeEach(() => {
    mock.timers.enable({ apis: ["setTimeout", "setInterval", "Date"] });
    mock.method(Math, "random", () => 0.5);
  });
  afterEach(() => {
    for (const client of clients.splice(0)) client.close();
    mock.timers.reset();
    mock.restoreAll();
  });
}

export class ScriptedSocket {
  static all = [];
  static get last() {
    return this.all.at(-1);
  }

  readyState = 0;
  sent = [];
  closedWith = null;

  constructor(url, protocol) {
    Object.assign(this, { url, protocol });
    ScriptedSocket.all.push(this);
  }

  send(frame) {
    this.sent.push(frame);
  }

  close(code) {
    this.closedWith = code;
  }

  // What the other side does.
  opens() {
    this.readyState = 1;
    this.onopen({});
  }

  says(...frames) {
    for (const data of frames) this.onmessage?.({ data });
  }

  ends(code, reason = "") {
    this.readyState = 3;
    this.onclose?.({ code, reason });
  }

  /** What was sent since the last look. */
  heard() {
    return this.sent.splice(0);
  }

  get hello() {
    return JSON.parse(this.sent[0].replace("hello 1 plugsock ", ""));
  }
}

const LIMITS = { calls: 128, watches: 128 };
const WELCOME = { session: "s", resumed: false, ping: 25, limits: LIMITS, user: null, permissions: [], topics: {} };
let keys = 0;

/** A client, and its first socket; nothing is open yet. */
export async function start(options = {}, url = "ws://server.test/") {
  ScriptedSocket.all = [];
  const client = connect(url, { WebSocket: ScriptedSocket, ...options });
  clients.push(client);
  await settle();
  return client;
}

/** Opens the newest socket, and takes its client in; what hello said is returned. */
export async function welcome(fields = {}) {
  await settle();
  const socket = ScriptedSocket.last;
  socket.opens();
  const hello = JSON.parse(socket.sent.shift().replace("hello 1 plugsock ", ""));
  socket.says(`welcome 1 ${JSON.stringify({ ...WELCOME, resume: `key ${++keys}`, ...fields })}`);
  await settle();
  return hello;
}

/** A client that is open. */
export async function opened(options = {}, fields = {}) {
  const client = await start(options);
  await welcome(fields);
  return client;
}

/** Lets all that is ready be done. */
export async function settle() {
  for (let turn = 0; turn < 20; turn++) await null;
}

/** Lets time pass as it does: every timer in between fires at its own moment. */
export async function pass(ms) {
  for (let left = ms; left > 0; left -= 100) {
    mock.timers.tick(Math.min(left, 100));
    await settle();
  }
}

/** Loses the connection, and comes back; what hello said is returned. */
export async function comeBack(fields) {
  ScriptedSocket.last.ends(1006);
  await pass(600);
  return welcome(fields);
}

/** Records the steps of something that has listeners. */
export function recorded(subscribe) {
  const seen = [];
  subscribe((...args) => seen.push(args));
  return seen;
}

/** What becomes of a promise. */
export function outcome(promise) {
  const found = {};
  promise.then(
    (value) => Object.assign(found, { value }),
    (error) => Object.assign(found, { error }),
  );
  return found;
}

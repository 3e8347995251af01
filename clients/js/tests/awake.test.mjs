// What hurries the client, and how it finds out that nobody answers any more.

import assert from "node:assert/strict";
import { afterEach, mock, test } from "node:test";

import { opened, pass, recorded, ScriptedSocket, start, turnTheClock } from "./scripted.mjs";

let client;

turnTheClock();
afterEach(() => {
  delete globalThis.document;
  delete globalThis.addEventListener;
});

/** A page, as far as the client looks at it; it is hidden. */
function page() {
  const window = new EventTarget();
  globalThis.addEventListener = window.addEventListener.bind(window);
  globalThis.document = Object.assign(new EventTarget(), { visibilityState: "hidden" });
  return {
    online: () => window.dispatchEvent(new Event("online")),
    looks: (visibilityState) => {
      document.visibilityState = visibilityState;
      document.dispatchEvent(new Event("visibilitychange"));
    },
  };
}

/** A client that waits, for longer than it takes to say so. */
async function waiting() {
  client = await opened();
  for (let n = 0; n < 5; n++) {
    ScriptedSocket.last.ends(1006);
    if (n < 4) await pass(10_000);
  }
  assert.equal(client.state, "waiting");
  return ScriptedSocket.all.length;
}

test("a network that is back hurries it", async () => {
  const { online } = page();
  const tries = await waiting();
  online();
  await pass(1);
  assert.equal(ScriptedSocket.all.length, tries + 1);
  assert.equal(client.state, "connecting");
});

test("somebody who looks at the page again hurries it, and who looks away does not", async () => {
  const { looks } = page();
  const tries = await waiting();
  looks("hidden");
  await pass(1);
  assert.equal(ScriptedSocket.all.length, tries);
  looks("visible");
  await pass(1);
  assert.equal(ScriptedSocket.all.length, tries + 1);
});

test("a connection that seems to be there is asked at once whether it is", async () => {
  const { online, looks } = page();
  client = await opened();
  online();
  looks("visible");
  assert.deepEqual(ScriptedSocket.last.heard(), ["ping"]);
  await pass(15_000);
  assert.equal(ScriptedSocket.all[0].closedWith, 4002);
});

test("a slot of the server's is kept, whatever hurries", async () => {
  const { online, looks } = page();
  client = await opened();
  ScriptedSocket.last.says('notice goodbye {"retry_ms":7000}');
  ScriptedSocket.last.ends(4000);
  online();
  looks("visible");
  await pass(6_900);
  assert.equal(ScriptedSocket.all.length, 1);
  await pass(100);
  assert.equal(ScriptedSocket.all.length, 2);
});

test("a client that is closed is hurried by nothing", async () => {
  const { online, looks } = page();
  client = await opened();
  client.close();
  ScriptedSocket.last.heard();
  online();
  looks("visible");
  await pass(60_000);
  assert.deepEqual([ScriptedSocket.last.heard(), ScriptedSocket.all.length], [[], 1]);
});

test("a machine that slept while it connected does not wait for that connection", async () => {
  client = await start();
  const real = Date.now;
  mock.method(Date, "now", () => real() + 3_600_000);
  await pass(5_300);
  assert.deepEqual([ScriptedSocket.all[0].closedWith, ScriptedSocket.all.length], [4002, 2]);
});

test("a clock that has jumped hurries it", async () => {
  mock.method(Math, "random", () => 0.99);
  client = await opened();
  for (let n = 0; n < 7; n++) {
    ScriptedSocket.last.ends(1006);
    await pass(n < 6 ? 20_000 : 100);
  }
  assert.equal(client.state, "waiting");
  const tries = ScriptedSocket.all.length;
  const real = Date.now;
  mock.method(Date, "now", () => real() + 3_600_000); // the machine slept, and its timers with it
  await pass(5_000);
  assert.equal(ScriptedSocket.all.length, tries + 1);
});

test("silence is broken by a ping, and a connection that does not answer is left", async () => {
  client = await opened();
  const socket = ScriptedSocket.last;
  await pass(20_000);
  assert.deepEqual(socket.heard(), []);
  await pass(10_000);
  assert.deepEqual(socket.heard(), ["ping"]);
  socket.says("pong");
  await pass(30_000);
  assert.deepEqual(socket.heard(), ["ping"]);
  const states = recorded((fn) => client.onState(fn));
  await pass(10_000);
  assert.equal(socket.closedWith, 4002);
  assert.deepEqual(states[0].slice(0, 1), ["waiting"]);
  assert.equal(states[0][1].code, 4002);
  socket.ends(1006); // its real end may come much later, and is nobody's business any more
  await pass(300);
  assert.equal(ScriptedSocket.all.length, 2);
});

test("a connection that never opens is left, too", async () => {
  client = await start();
  await pass(15_000);
  assert.equal(ScriptedSocket.all[0].closedWith, 4002);
  assert.equal(ScriptedSocket.all.length, 2);
});

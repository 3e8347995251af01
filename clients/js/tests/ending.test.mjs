// How it ends: who closes it, and when, and what is left over then.

import assert from "node:assert/strict";
import { mock, test } from "node:test";

import { comeBack, opened, outcome, pass, recorded, ScriptedSocket, settle, start, turnTheClock, welcome } from "./scripted.mjs";

let client;

turnTheClock();

/** Brings a client into a state. */
const INTO = {
  connecting: async () => void (client = await start()),
  open: async () => void (client = await opened()),
  waiting: async () => {
    client = await opened();
    ScriptedSocket.last.ends(1006);
  },
  closed: async () => {
    client = await opened();
    client.close();
  },
};

for (const [state, into] of Object.entries(INTO)) {
  test(`who closes it while it is ${state} has closed it`, async () => {
    await into();
    assert.equal(client.state, state);
    const call = outcome(client.call("a"));
    const item = outcome(client.stream("s").next());
    const shown = outcome(client.refresh("t"));
    const first = outcome(client.view("v").first());
    client.topic("room.a").on("said", () => {});
    await settle();
    const sockets = ScriptedSocket.all.length;
    client.close();
    client.close();
    await pass(60_000);
    assert.equal(client.state, "closed");
    assert.equal(ScriptedSocket.all.length, sockets);
    for (const { error } of [call, item, shown, first]) assert.equal(error.code, "disconnected");
    assert.deepEqual([client.topic("room.a").status, client.topic("room.a").error.code], ["error", "disconnected"]);
  });
}

test("who closes it when it hears that it comes back has closed it", async () => {
  client = await opened();
  client.onState((state) => state === "connecting" && client.close());
  ScriptedSocket.last.ends(1006);
  await pass(60_000);
  assert.deepEqual([client.state, ScriptedSocket.all.length], ["closed", 1]);
});

test("nothing is heard after the end", async () => {
  client = await opened();
  const heard = recorded((fn) => client.on("news", fn));
  const socket = ScriptedSocket.last;
  client.close();
  socket.says("push - news 1", "welcome 1 {}");
  socket.ends(1006);
  assert.deepEqual([heard, client.state], [[], "closed"]);
});

test("no timer is left over: a process may end", async () => {
  const timers = new Set();
  for (const [set, clear] of [["setTimeout", "clearTimeout"], ["setInterval", "clearInterval"]]) {
    const [original, originalClear] = [globalThis[set], globalThis[clear]];
    mock.method(globalThis, set, (fn, ms) => {
      const timer = original(() => (set === "setTimeout" && timers.delete(timer), fn()), ms);
      timers.add(timer);
      return timer;
    });
    mock.method(globalThis, clear, (timer) => (timers.delete(timer), originalClear(timer)));
  }
  let asked = 0;
  client = await opened({ timeout: 600, token: () => (++asked > 1 ? Promise.reject(new Error("later")) : "t") });
  outcome(client.call("a"));
  const busy = client.view("v");
  busy.subscribe(() => {});
  ScriptedSocket.last.says('error 3 {"code":"overloaded","message":"","retry":true,"after_ms":90000}');
  ScriptedSocket.last.says('notice token {"expired":true,"grace_ms":30000}');
  await settle();
  assert.ok(timers.size > 3);
  client.close();
  assert.equal(timers.size, 0);
  assert.deepEqual([busy.status, busy.error.code], ["error", "disconnected"]);
});

test("a hello that the server can't read is the end: there is nothing to wait for", async () => {
  client = await start();
  const call = outcome(client.call("a"));
  ScriptedSocket.last.opens();
  ScriptedSocket.last.says('error 1 {"code":"bad_payload","message":"hello: no","retry":false}');
  await settle();
  assert.deepEqual([client.state, call.error.closeCode, call.error.cause.code], ["closed", 4501, "bad_payload"]);
  assert.equal(ScriptedSocket.last.closedWith, 1000);
});

test("a server that can't find out who it is now is asked again, and says no more about the end", async () => {
  client = await start();
  const states = recorded((fn) => client.onState(fn));
  const call = outcome(client.call("a"));
  ScriptedSocket.last.opens();
  ScriptedSocket.last.says('error 1 {"code":"overloaded","message":"Later.","retry":true}');
  ScriptedSocket.last.ends(4001);
  assert.deepEqual(states, [["waiting", { code: 4001, reason: "Later.", retryMs: 250 }]]);
  await pass(300);
  client.close();
  await settle();
  assert.deepEqual([call.error.message, call.error.cause], ["The client was closed.", undefined]);
});

test("a token that is refused is not the one for the next connection", async () => {
  client = await opened({ token: "old" });
  const shown = outcome(client.refresh("new"));
  ScriptedSocket.last.says('error 2 {"code":"unauthorized","message":"","retry":false}');
  await settle();
  assert.equal(shown.error.code, "unauthorized");
  assert.equal((await comeBack()).token, "old");
});

test("a token that can't be had when the last one ends is asked for until it can", async () => {
  let asked = 0;
  const token = () => (++asked === 2 || asked === 3 ? Promise.reject(new Error("offline")) : `token ${asked}`);
  client = await opened({ token });
  ScriptedSocket.last.says('notice token {"expired":true,"grace_ms":30000}');
  await pass(1_000);
  assert.deepEqual(ScriptedSocket.last.heard(), ['token 2 plugsock {"token":"token 4"}']);
});

test("a token that never comes keeps it connecting, and who closes it then is heard", async () => {
  client = await start({ token: () => new Promise(() => {}) });
  const call = outcome(client.call("a", null, { timeout: 60 }));
  await pass(60_000);
  assert.deepEqual([client.state, call.error.code, call.error.retry], ["connecting", "timeout", true]);
  client.close();
  assert.equal(client.state, "closed");
});

test("a WebSocket whose errors somebody has to hear has somebody", async () => {
  client = await start();
  ScriptedSocket.last.onerror(new Event("error"));
  ScriptedSocket.last.ends(1006);
  assert.equal(client.state, "waiting");
});

test("what a listener throws at once is reported, and can still be taken back", async () => {
  const reported = [];
  mock.method(globalThis, "queueMicrotask", (fn) => {
    try {
      fn();
    } catch (error) {
      reported.push(error.message);
    }
  });
  client = await opened();
  const fails = () => {
    throw new Error("mine");
  };
  const view = client.view("v");
  view.subscribe(fails)();
  client.topic("room.a").subscribe(fails)();
  client.permissions.subscribe(fails)();
  assert.deepEqual(reported, ["mine", "mine", "mine"]);
  ScriptedSocket.last.heard();
  await pass(300);
  assert.deepEqual(ScriptedSocket.last.heard(), ["cancel 2", "leave 4 room.a"]);
});

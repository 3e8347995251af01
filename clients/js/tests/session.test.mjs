// What the client says and does when connections come and go.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { opened, outcome, pass, recorded, ScriptedSocket, settle, start, turnTheClock, welcome } from "./scripted.mjs";

let client;

turnTheClock();

test("it says hello first, and what was called before has ids that grow", async () => {
  client = await start({ token: "abc", mock: ["orders.*"] });
  const socket = ScriptedSocket.last;
  outcome(client.call("a", { n: 1 }));
  outcome(client.call("b"));
  assert.equal(socket.url, "ws://server.test/");
  assert.equal(socket.protocol, "plugsock.v1");
  assert.deepEqual(socket.sent, []);
  assert.deepEqual(await welcome(), { v: 1, format: "json", token: "abc", mock: ["orders.*"], topics: {} });
  assert.deepEqual(socket.heard(), ['call 2 a {"n":1}', "call 3 b"]);
});

test("nothing is called before the welcome, which may not be the server's first word", async () => {
  client = await start();
  const heard = recorded((fn) => client.on("news", fn));
  outcome(client.call("a"));
  ScriptedSocket.last.opens();
  ScriptedSocket.last.says("push - news 7");
  assert.deepEqual(heard, [[7]]);
  assert.equal(ScriptedSocket.last.sent.length, 1);
  assert.equal(client.state, "connecting");
});

test("http addresses are those of WebSockets, and what is no address is refused at once", async () => {
  client = await start({}, "https://server.test/at?x=1#here");
  assert.equal(ScriptedSocket.last.url, "wss://server.test/at?x=1");
  const { connect } = await import("../../../src/plugsock/static/plugsock.js");
  assert.throws(() => connect("::", { WebSocket: ScriptedSocket }), TypeError);
});

test("it comes back with its key, and with what is open", async () => {
  client = await opened();
  const first = ScriptedSocket.last;
  const stream = client.stream("s");
  const item = stream.next();
  const call = outcome(client.call("c"));
  const done = outcome(client.call("d"));
  await settle();
  first.says("item 2 1", "ok 4 true");
  await item;
  first.ends(1006);
  await pass(300);
  const hello = await welcome({ resumed: true });
  assert.deepEqual(hello.open, { 2: 1, 3: 0 });
  assert.match(hello.resume, /^key \d+$/);
  ScriptedSocket.last.says("ok 3 9", 'error 2 {"code":"unknown_outcome","message":"","retry":false}');
  await assert.rejects(stream.next(), { code: "unknown_outcome" });
  assert.deepEqual([call.value, done.value], [9, true]);
});

test("what was not received is sent again with a new id, and what may have run is not", async () => {
  client = await opened();
  const lost = outcome(client.call("a", { n: 1 }));
  const ran = outcome(client.call("b"));
  ScriptedSocket.last.ends(1006);
  await pass(300);
  await welcome({ resumed: true });
  ScriptedSocket.last.says(
    'error 2 {"code":"not_received","message":"","retry":true}',
    'error 3 {"code":"unknown_outcome","message":"It may have run.","retry":false}',
  );
  assert.deepEqual(ScriptedSocket.last.heard(), ['call 4 a {"n":1}']);
  ScriptedSocket.last.says("ok 4 5");
  await settle();
  assert.equal(lost.value, 5);
  assert.equal(ran.error.code, "unknown_outcome");
});

test("what was given up while there was no connection is cancelled, and never sent again", async () => {
  client = await opened();
  const controller = new AbortController();
  const sent = outcome(client.call("a", null, { signal: controller.signal }));
  ScriptedSocket.last.ends(1006);
  const waiting = outcome(client.call("b", null, { signal: controller.signal }));
  controller.abort("enough");
  await pass(300);
  const hello = await welcome({ resumed: true });
  assert.deepEqual(hello.open, {});
  assert.deepEqual(ScriptedSocket.last.heard(), ["cancel 2"]);
  assert.deepEqual([sent.error, waiting.error], ["enough", "enough"]);
  ScriptedSocket.last.says('error 2 {"code":"not_received","message":"","retry":true}');
  assert.deepEqual(ScriptedSocket.last.heard(), []);
});

test("pauses are random and their limit doubles, until there is a welcome", async () => {
  client = await opened();
  const states = recorded((fn) => client.onState(fn));
  const waits = () => states.filter(([state]) => state === "waiting").map(([, why]) => why.retryMs);
  for (let n = 0; n < 8; n++) {
    ScriptedSocket.last.ends(1006);
    await pass(waits().at(-1));
  }
  assert.deepEqual(waits(), [250, 500, 1000, 2000, 4000, 8000, 10_000, 10_000]);
  await welcome();
  ScriptedSocket.last.ends(1006);
  assert.equal(waits().at(-1), 250);
});

test("the server's own slot beats the pause, and nothing new is asked before it", async () => {
  client = await opened();
  const states = recorded((fn) => client.onState(fn));
  const old = ScriptedSocket.last;
  old.says('notice goodbye {"retry_ms":7777}');
  const late = outcome(client.call("a"));
  assert.deepEqual(old.heard(), []);
  old.ends(4000);
  assert.equal(states[0][1].retryMs, 7777);
  globalThis.dispatchEvent?.(new Event("online"));
  await pass(7700);
  assert.equal(ScriptedSocket.all.length, 1);
  await pass(100);
  await welcome();
  assert.deepEqual(ScriptedSocket.last.heard(), ["call 2 a"]);
  ScriptedSocket.last.says("ok 2");
  await settle();
  assert.equal(late.value, null);
});

test("a token function is asked for each connection; one that fails is asked again", async () => {
  let asked = 0;
  const token = async () => {
    if (++asked === 2) throw new Error("offline");
    return `token ${asked}`;
  };
  client = await start({ token });
  assert.equal((await welcome()).token, "token 1");
  ScriptedSocket.last.ends(1006);
  await pass(2_000);
  assert.equal((await welcome()).token, "token 3");
});

test("a token that has ended is replaced by what the function says", async () => {
  let asked = 0;
  client = await opened({ token: () => `token ${++asked}` });
  ScriptedSocket.last.says('notice token {"expired":true,"grace_ms":30000}');
  await settle();
  assert.deepEqual(ScriptedSocket.last.heard(), ['token 2 plugsock {"token":"token 2"}']);
  ScriptedSocket.last.says('ok 2 {"user":"ada","permissions":["a"],"expires":null}');
  assert.deepEqual([client.user, client.permissions.list], ["ada", ["a"]]);
});

test("a token that is shown by hand is the one for the next connection, and is shown again there", async () => {
  client = await opened({ token: "old" });
  const shown = outcome(client.refresh("new"));
  ScriptedSocket.last.ends(1006);
  await pass(300);
  assert.equal((await welcome({ resumed: true })).token, "new");
  assert.deepEqual(ScriptedSocket.last.heard(), ['token 3 plugsock {"token":"new"}']);
  ScriptedSocket.last.says('ok 3 {"user":"ada","permissions":[],"expires":1}');
  await settle();
  assert.equal(shown.value.expires, 1);
});

test("who is closed while the token is fetched opens nothing", async () => {
  let tell;
  client = await start({ token: () => new Promise((resolve) => (tell = resolve)) });
  const call = outcome(client.call("a"));
  client.close();
  tell("late");
  await settle();
  assert.equal(ScriptedSocket.all.length, 0);
  assert.equal(call.error.code, "disconnected");
});

const page = readFileSync(new URL("../../../docs/protocol.md", import.meta.url), "utf8");
const rows = page.matchAll(/^\| (\d{4}) \| (yes|no) \|/gm);
const codes = [...rows].map(([, code, back]) => [Number(code), back === "yes"]);

test("the page about the protocol has a table of close codes", () => assert.ok(codes.length > 15));

for (const [code, comesBack] of [...codes, [4006, true], [4499, true], [4500, false], [4999, false], [1015, false]]) {
  test(`after ${code} it ${comesBack ? "comes back" : "stays away, and everything is rejected"}`, async () => {
    client = await opened();
    const call = outcome(client.call("a"));
    ScriptedSocket.last.ends(code, "so it is");
    await settle();
    assert.equal(client.state, comesBack ? "waiting" : "closed");
    await pass(300);
    assert.equal(ScriptedSocket.all.length, comesBack ? 2 : 1);
    if (comesBack) return;
    assert.deepEqual([call.error.code, call.error.closeCode], ["disconnected", code]);
    assert.equal(call.error.message, "so it is");
  });
}

test("who is not taken in is told why", async () => {
  client = await start();
  const states = recorded((fn) => client.onState(fn));
  const call = outcome(client.call("a"));
  ScriptedSocket.last.opens();
  ScriptedSocket.last.says('error 1 {"code":"unauthorized","message":"Nobody knows you by that.","retry":false}');
  ScriptedSocket.last.ends(4501);
  await settle();
  assert.deepEqual([call.error.message, call.error.cause.code], ["Nobody knows you by that.", "unauthorized"]);
  assert.deepEqual(states.map(([state]) => state), ["closed"]);
});

test("a frame that the server could not read ends its call", async () => {
  client = await opened();
  const call = outcome(client.call("a", null, { timeout: -1 }));
  ScriptedSocket.last.says('error 0 {"code":"bad_frame","message":"no","retry":false,"id":"2"}');
  await settle();
  assert.equal(call.error.code, "bad_frame");
});

test("notices and ids that it does not know are ignored", async () => {
  client = await opened();
  ScriptedSocket.last.says("notice later {}", "ok 99", 'error 0 {"code":"bad_frame","message":"","retry":false}');
  assert.equal(client.state, "open");
});

test("who closes it when it hears of the welcome has closed it", async () => {
  client = await start();
  const call = outcome(client.call("a"));
  client.permissions.subscribe((list) => list.length && client.close());
  await welcome({ permissions: ["a"] });
  assert.equal(client.state, "closed");
  assert.equal(call.error.code, "disconnected");
  assert.deepEqual(ScriptedSocket.last.heard(), []);
});

test("what only a mock can do says so", async () => {
  client = await opened();
  assert.throws(() => client.mock("a", () => 1), TypeError);
});

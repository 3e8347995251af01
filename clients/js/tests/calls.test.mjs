// What goes into calls and streams, and how they end.

import assert from "node:assert/strict";
import { test } from "node:test";

import { comeBack, opened, outcome, pass, ScriptedSocket, settle, start, turnTheClock, welcome } from "./scripted.mjs";

let client;

turnTheClock();

for (const name of ["a b", "", "a?b", "é", "x".repeat(129)]) {
  test(`"${name.slice(0, 9)}" can't be a name, and is not sent`, async () => {
    client = await opened();
    await assert.rejects(client.call(name, 1), TypeError);
    await assert.rejects(client.stream(name, 1).next(), TypeError);
    assert.throws(() => client.view(name), TypeError);
    assert.throws(() => client.topic(name), TypeError);
    assert.deepEqual(ScriptedSocket.last.heard(), []);
  });
}

test("what can't be JSON is rejected, and not sent", async () => {
  client = await opened();
  await assert.rejects(client.call("a", { n: 1n }), TypeError);
  assert.deepEqual(ScriptedSocket.last.heard(), []);
});

test("arguments are those of the moment of the call", async () => {
  client = await start();
  const args = { n: 1 };
  outcome(client.call("a", args));
  args.n = 100;
  await welcome();
  assert.deepEqual(ScriptedSocket.last.heard(), ['call 2 a {"n":1}']);
});

test("a signal that was aborted before sends nothing, and one that is aborted afterwards neither", async () => {
  client = await opened();
  await assert.rejects(client.call("a", null, { signal: AbortSignal.abort(new Error("Never mind.")) }), /Never mind/);
  const controller = new AbortController();
  const call = outcome(client.call("b", null, { signal: controller.signal }));
  ScriptedSocket.last.says("ok 2 7");
  await settle();
  controller.abort();
  assert.equal(call.value, 7);
  assert.deepEqual(ScriptedSocket.last.heard(), ["call 2 b null"]);
});

test("bytes are those of the moment of the call, however long they wait", async () => {
  client = await start();
  const buffer = new Uint8Array([9, 1, 2, 9]).buffer;
  for (const args of [buffer, new Uint8Array(buffer, 1, 2), new DataView(buffer, 1)]) outcome(client.call("a", args));
  new Uint8Array(buffer).fill(0);
  await welcome();
  const tail = (frame) => [...frame.subarray(frame.indexOf(32, 7) + 1)];
  assert.deepEqual(ScriptedSocket.last.heard().map(tail), [[9, 1, 2, 9], [1, 2], [1, 2, 9]]);
});

test("a megabyte of bytes is an answer like any other", async () => {
  client = await opened();
  const call = outcome(client.call("a", new Uint8Array()));
  const frame = new Uint8Array(1 << 20).fill(32);
  frame.set(new TextEncoder().encode("ok 2 "));
  ScriptedSocket.last.says(frame.buffer);
  await settle();
  assert.equal(call.value.length, (1 << 20) - 5);
});

test("what can't be an option is refused, and nothing is sent", async () => {
  client = await opened();
  await assert.rejects(client.call("a", null, { key: "a b" }), TypeError);
  await assert.rejects(client.call("a", null, { key: "a&timeout=9" }), TypeError);
  assert.deepEqual(ScriptedSocket.last.heard(), []);
});

test("a time limit that is too long for a timer is none", async () => {
  client = await opened({ timeout: 1 });
  const long = outcome(client.call("a", null, { timeout: 2 ** 31 }));
  const endless = outcome(client.call("b", null, { timeout: Infinity }));
  const usual = outcome(client.call("c", null, { timeout: undefined }));
  assert.deepEqual(ScriptedSocket.last.heard(), [
    "call 2 a?timeout=2147483648 null",
    "call 3 b null",
    "call 4 c?timeout=1 null",
  ]);
  await pass(2_000);
  assert.deepEqual([long.error, endless.error, usual.error.code], [undefined, undefined, "timeout"]);
});

test("a call whose signal fires before it is said to be not received is over", async () => {
  client = await opened();
  const controller = new AbortController();
  const call = outcome(client.call("a", null, { signal: controller.signal }));
  ScriptedSocket.last.ends(1006);
  await pass(600);
  const hello = await welcome({ resumed: true });
  assert.deepEqual(hello.open, { 2: 0 });
  controller.abort("enough");
  ScriptedSocket.last.says('error 2 {"code":"not_received","message":"","retry":true}');
  await settle();
  assert.equal(call.error, "enough");
  assert.deepEqual(ScriptedSocket.last.heard(), ["cancel 2"]);
});

test("what is given up by who hears of the welcome is cancelled on that connection", async () => {
  client = await opened({}, { permissions: [] });
  const controller = new AbortController();
  const call = outcome(client.call("a", null, { signal: controller.signal }));
  client.permissions.subscribe((list) => list.length && controller.abort("enough"));
  const hello = await comeBack({ resumed: true, permissions: ["a"] });
  assert.deepEqual(hello.open, { 2: 0 });
  assert.deepEqual(ScriptedSocket.last.heard(), ["cancel 2"]);
  assert.equal(call.error, "enough");
});

test("hello names no more ids than the server takes; of the others nobody knows", async () => {
  client = await opened({}, { limits: { calls: 2, watches: 1 } });
  const calls = Array.from("abcde", (name) => outcome(client.call(name)));
  const view = client.view("v");
  view.subscribe(() => {});
  const hello = await comeBack({ resumed: true });
  assert.deepEqual(hello.open, { 2: 0, 3: 0, 4: 0 });
  assert.deepEqual(calls.map(({ error }) => error?.code), [...Array(3), "unknown_outcome", "unknown_outcome"]);
  await pass(1);
  assert.deepEqual(ScriptedSocket.last.heard(), ["watch 8 v?patch"]);
});

test("a stream that is left while there is no connection is cancelled on the next, and heard no more", async () => {
  client = await opened();
  const stream = client.stream("s");
  const first = stream.next();
  await settle();
  ScriptedSocket.last.says("item 2 1");
  await first;
  ScriptedSocket.last.ends(1006);
  await stream.return();
  await pass(600);
  const hello = await welcome({ resumed: true });
  assert.deepEqual(hello.open, {});
  assert.deepEqual(ScriptedSocket.last.heard(), ["cancel 2"]);
  ScriptedSocket.last.says("item 2 2", 'error 2 {"code":"unknown_outcome","message":"","retry":false}');
  assert.deepEqual(await stream.next(), { value: undefined, done: true });
});

test("a stream that was not received begins on the next connection, and its loop does not notice", async () => {
  client = await opened();
  const item = client.stream("s", {}, { credit: 4 }).next();
  await settle();
  await comeBack({ resumed: true });
  ScriptedSocket.last.says('error 2 {"code":"not_received","message":"","retry":true}', "item 3 1");
  assert.deepEqual(await item, { value: 1, done: false });
});

test("a stream that is aborted is cancelled at once, also if nobody takes its items", async () => {
  client = await opened();
  const controller = new AbortController();
  const stream = client.stream("s", null, { signal: controller.signal });
  const first = stream.next();
  await settle();
  ScriptedSocket.last.says("item 2 1", "item 2 2");
  await first;
  controller.abort(new Error("enough"));
  assert.deepEqual(ScriptedSocket.last.heard(), ["call 2 s?credit=32 null", "cancel 2"]);
  await assert.rejects(stream.next(), { message: "enough" });
});

test("credit is given back when half of it is used", async () => {
  client = await opened();
  const stream = client.stream("s", {}, { credit: 4, timeout: 2.5 });
  const first = stream.next();
  await settle();
  assert.deepEqual(ScriptedSocket.last.heard(), ["call 2 s?timeout=2.5&credit=4 {}"]);
  ScriptedSocket.last.says("item 2 1", "item 2 2", "item 2 3", "item 2 4");
  await first;
  await stream.next();
  assert.deepEqual(ScriptedSocket.last.heard(), []);
  await stream.next();
  assert.deepEqual(ScriptedSocket.last.heard(), ["more 2 2"]);
  await stream.return();
  assert.deepEqual(ScriptedSocket.last.heard(), ["cancel 2"]);
});

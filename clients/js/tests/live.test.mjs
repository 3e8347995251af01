// Views, topics and permissions, frame by frame.

import assert from "node:assert/strict";
import { mock, test } from "node:test";

import { comeBack, opened, outcome, recorded, ScriptedSocket, settle, turnTheClock, welcome } from "./scripted.mjs";

let client;

turnTheClock();

async function watched() {
  client = await opened();
  const view = client.view("v", { day: 1 });
  const seen = recorded((fn) => view.subscribe(fn));
  assert.deepEqual(ScriptedSocket.last.heard(), ['watch 2 v?patch {"day":1}']);
  return { view, seen };
}

// The examples of RFC 7396, appendix A, where target and patch are objects or the target has to become one.
const MERGES = [
  [{ a: "b" }, { a: "c" }, { a: "c" }],
  [{ a: "b" }, { b: "c" }, { a: "b", b: "c" }],
  [{ a: "b" }, { a: null }, {}],
  [{ a: "b", b: "c" }, { a: null }, { b: "c" }],
  [{ a: ["b"] }, { a: "c" }, { a: "c" }],
  [{ a: "c" }, { a: ["b"] }, { a: ["b"] }],
  [{ a: { b: "c" } }, { a: { b: "d", c: null } }, { a: { b: "d" } }],
  [{ a: [{ b: "c" }] }, { a: [1] }, { a: [1] }],
  [["a", "b"], ["c", "d"], ["c", "d"]],
  [{ a: "b" }, ["c"], ["c"]],
  [{ a: "foo" }, null, null],
  [{ a: "foo" }, "bar", "bar"],
  [{ e: null }, { a: 1 }, { e: null, a: 1 }],
  [[1, 2], { a: "b", c: null }, { a: "b" }],
  [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
];

for (const [target, patch, result] of MERGES) {
  test(`${JSON.stringify(patch)} makes ${JSON.stringify(target)} ${JSON.stringify(result)}`, async () => {
    const { view, seen } = await watched();
    ScriptedSocket.last.says(`item 2 ${JSON.stringify(target)}`);
    const before = view.value;
    ScriptedSocket.last.says(`patch 2 ${JSON.stringify(patch)}`);
    assert.deepEqual(view.value, result);
    assert.deepEqual(before, target); // what somebody was shown stays as it was
    assert.deepEqual(seen.at(-1), [result, "live"]);
  });
}

test("a field called __proto__ is a field", async () => {
  const { view } = await watched();
  ScriptedSocket.last.says('item 2 {"a":1}', 'patch 2 {"__proto__":{"b":1}}');
  assert.deepEqual(JSON.stringify(view.value), '{"a":1,"__proto__":{"b":1}}');
  assert.equal({}.b, undefined);
});

test("a view that has not changed is live again when its session goes on", async () => {
  const { seen } = await watched();
  ScriptedSocket.last.says("item 2 7");
  const hello = await comeBack({ resumed: true });
  assert.deepEqual(hello.open, { 2: 1 });
  assert.deepEqual(seen.slice(1), [[7, "live"], [7, "stale"], [7, "live"]]);
});

test("a view whose session is gone is watched anew, and stale until its value comes", async () => {
  const { view, seen } = await watched();
  ScriptedSocket.last.says("item 2 7");
  await comeBack({ resumed: false });
  ScriptedSocket.last.says('error 2 {"code":"unknown_outcome","message":"","retry":false}');
  mock.timers.tick(1);
  assert.deepEqual(ScriptedSocket.last.heard(), ['watch 3 v?patch {"day":1}']);
  assert.equal(view.status, "stale");
  ScriptedSocket.last.says("item 3 8");
  assert.deepEqual(seen.at(-1), [8, "live"]);
});

test("a fault keeps the value, and survives a lost connection", async () => {
  const { view } = await watched();
  ScriptedSocket.last.says("item 2 7", 'fault 2 {"code":"plug_error","message":"It failed.","retry":false,"ref":"8f"}');
  assert.deepEqual([view.value, view.status, view.error.ref], [7, "error", "8f"]);
  const hello = await comeBack({ resumed: true });
  assert.deepEqual(hello.open, { 2: 2 });
  assert.deepEqual([view.value, view.status], [7, "error"]);
  ScriptedSocket.last.says("item 2 8");
  assert.deepEqual([view.value, view.status, view.error], [8, "live", null]);
});

for (const code of ["revoked", "gone", "bad_payload", "forbidden"]) {
  const status = code === "revoked" ? "revoked" : "error";
  test(`a view that ends with ${code} keeps nothing, and is not asked for again by itself`, async () => {
    const { view } = await watched();
    ScriptedSocket.last.says("item 2 7", `error 2 {"code":"${code}","message":"","retry":false}`);
    mock.timers.tick(60_000);
    assert.deepEqual([view.value, view.status, view.error.code], [undefined, status, code]);
    assert.deepEqual(ScriptedSocket.last.heard().filter((frame) => frame !== "ping"), []);
    view.subscribe(() => {});
    assert.deepEqual(ScriptedSocket.last.heard(), ['watch 3 v?patch {"day":1}']);
  });
}

test("a view that a server ends because it stops is watched on the next connection", async () => {
  const { view } = await watched();
  ScriptedSocket.last.says("item 2 7", 'notice goodbye {"retry_ms":100}');
  ScriptedSocket.last.says('error 2 {"code":"cancelled","message":"","retry":false}');
  assert.deepEqual([view.value, view.status], [7, "stale"]);
  mock.timers.tick(1_000);
  ScriptedSocket.last.heard();
  ScriptedSocket.last.ends(4000);
  mock.timers.tick(100);
  await welcome();
  assert.deepEqual(ScriptedSocket.last.heard(), ['watch 3 v?patch {"day":1}']);
});

test("a view that the server is too busy for is asked for again when it says", async () => {
  const { view } = await watched();
  ScriptedSocket.last.says('error 2 {"code":"overloaded","message":"","retry":true,"after_ms":3000}');
  assert.equal(view.status, "loading");
  mock.timers.tick(2_999);
  assert.deepEqual(ScriptedSocket.last.heard(), []);
  mock.timers.tick(1);
  assert.deepEqual(ScriptedSocket.last.heard(), ['watch 3 v?patch {"day":1}']);
});

test("a view is closed soon after the last one has gone, unless another one comes", async () => {
  client = await opened();
  const view = client.view("v", undefined, { patch: false });
  const stop = view.subscribe(() => {});
  const stopOther = view.subscribe(() => {});
  assert.deepEqual(ScriptedSocket.last.heard(), ["watch 2 v"]);
  stop();
  stop();
  mock.timers.tick(1_000);
  stopOther();
  const stopNext = view.subscribe(() => {});
  mock.timers.tick(1_000);
  assert.deepEqual(ScriptedSocket.last.heard(), []);
  stopNext();
  mock.timers.tick(1_000);
  assert.deepEqual(ScriptedSocket.last.heard(), ["cancel 2"]);
});

test("the first value of a view that fails is its error", async () => {
  client = await opened();
  const first = outcome(client.view("v").first());
  ScriptedSocket.last.says('fault 2 {"code":"plug_error","message":"","retry":false}');
  await settle();
  assert.equal(first.error.code, "plug_error");
});

async function joined(answer = '{"epoch":"e","offset":3,"recovered":false,"members":null}') {
  client = await opened();
  const topic = client.topic("room.a");
  const heard = recorded((fn) => topic.on("said", fn));
  assert.deepEqual(ScriptedSocket.last.heard(), ["join 2 room.a"]);
  ScriptedSocket.last.says(`ok 2 ${answer}`);
  return { topic, heard };
}

test("a topic is joined once, by all who listen, and named when the client comes back", async () => {
  const { topic, heard } = await joined();
  topic.onAny(() => {});
  assert.equal(client.topic("room.a"), topic);
  assert.deepEqual(ScriptedSocket.last.heard(), []);
  ScriptedSocket.last.says("push room.a said?at=e.4 1", "push room.b said 2", "push - said 3");
  const answer = { epoch: "e", offset: 5, recovered: true, members: null };
  const hello = await comeBack({ resumed: true, topics: { "room.a": answer } });
  assert.deepEqual(hello.topics, { "room.a": "e.4" });
  assert.deepEqual([topic.position, topic.recovered, topic.status], ["e.4", true, "live"]);
  ScriptedSocket.last.says("push room.a said?at=e.5 4");
  assert.deepEqual(heard, [[1], [4]]);
  assert.equal(topic.position, "e.5");
});

test("a topic that has begun anew says that something is missing", async () => {
  const { topic } = await joined();
  await comeBack({ topics: { "room.a": { epoch: "f", offset: 9, recovered: false, members: null } } });
  assert.deepEqual([topic.position, topic.recovered], ["f.9", false]);
});

test("a topic that is asked for between hello and welcome is joined behind it", async () => {
  client = await opened();
  ScriptedSocket.last.ends(1006);
  mock.timers.tick(600);
  await settle();
  ScriptedSocket.last.opens();
  client.topic("room.a").on("said", () => {});
  ScriptedSocket.last.heard();
  ScriptedSocket.last.says('welcome 1 {"resume":"x","resumed":true,"limits":{},"user":null,"permissions":[],"topics":{}}');
  assert.deepEqual(ScriptedSocket.last.heard(), ["join 2 room.a"]);
});

test("a join that was lost with its connection is not open: hello has said it", async () => {
  client = await opened();
  client.topic("room.a").on("said", () => {});
  const hello = await comeBack({ topics: { "room.a": { epoch: "", offset: 0, recovered: false, members: null } } });
  assert.deepEqual([hello.open, hello.topics], [{}, { "room.a": null }]);
  assert.deepEqual(ScriptedSocket.last.heard(), []);
  assert.equal(client.topic("room.a").status, "live");
});

test("a topic that is asked for while the server stops is joined once, where it was", async () => {
  const { topic } = await joined();
  topic.leave();
  ScriptedSocket.last.says('notice goodbye {"retry_ms":100}');
  topic.on("said", () => {});
  ScriptedSocket.last.ends(4000);
  mock.timers.tick(100);
  const hello = await welcome({ topics: { "room.a": { epoch: "e", offset: 3, recovered: true, members: null } } });
  assert.deepEqual(hello.topics, { "room.a": "e.3" });
  assert.deepEqual(ScriptedSocket.last.heard(), []);
});

test("an answer to join that comes after it was left changes nothing", async () => {
  client = await opened();
  const topic = client.topic("room.a");
  topic.on("said", () => {});
  topic.leave();
  assert.deepEqual(ScriptedSocket.last.heard(), ["join 2 room.a", "leave 3 room.a"]);
  ScriptedSocket.last.says('ok 2 {"epoch":"e","offset":3,"recovered":false,"members":[]}', "ok 3");
  assert.deepEqual([topic.status, topic.members.list], ["loading", null]);
});

test("a leave that was lost with its connection is said again, if the session went on", async () => {
  const { topic } = await joined();
  topic.leave();
  const answer = { epoch: "e", offset: 3, recovered: false, members: null };
  assert.deepEqual((await comeBack({ resumed: true, topics: { "room.a": answer } })).topics, {});
  assert.deepEqual(ScriptedSocket.last.heard(), ["leave 4 room.a"]);
  ScriptedSocket.last.says("ok 4");
  await comeBack({ resumed: true, topics: { "room.a": answer } }); // a plug has put it there since
  assert.deepEqual(ScriptedSocket.last.heard(), []);
});

test("who has left a topic by hand holds it open for nobody", async () => {
  const { topic } = await joined();
  topic.leave();
  const stop = topic.on("said", () => {});
  ScriptedSocket.last.heard();
  stop();
  mock.timers.tick(1_000);
  assert.deepEqual(ScriptedSocket.last.heard(), ["leave 5 room.a"]);
});

test("hello names no more topics than the server takes; the others are asked for, and told", async () => {
  client = await opened({}, { limits: { calls: 1, watches: 2 } });
  ScriptedSocket.last.ends(1006);
  for (const name of "abc") client.topic(name).on("said", () => {});
  mock.timers.tick(600);
  const at = { epoch: "", offset: 0, recovered: false, members: null };
  const hello = await welcome({ limits: { calls: 1, watches: 2 }, topics: { a: at, b: at } });
  assert.deepEqual(hello.topics, { a: null, b: null });
  assert.deepEqual(ScriptedSocket.last.heard(), ["join 2 c"]);
});

test("who was taken out of a topic is not in it after a loss either", async () => {
  const { topic } = await joined();
  ScriptedSocket.last.says('notice left {"topic":"room.a","reason":{"code":"revoked","message":"","retry":false}}');
  assert.deepEqual([topic.status, topic.error.code], ["revoked", "revoked"]);
  assert.deepEqual((await comeBack()).topics, {});
});

test("members come and go", async () => {
  const member = (id, data = null) => ({ id, user: id, sockets: 1, data });
  const { topic } = await joined(JSON.stringify({ epoch: "", offset: 0, recovered: false, members: [member("ada")] }));
  const lists = recorded((fn) => topic.members.subscribe(fn));
  const tell = (news) => ScriptedSocket.last.says(`notice presence ${JSON.stringify({ topic: "room.a", ...news })}`);
  tell({ joined: [member("bob")], left: [] });
  tell({ joined: [member("bob", "busy")], left: ["ada"] });
  assert.deepEqual(lists.map(([list]) => list.map(({ id, data }) => [id, data])), [
    [["ada", null]],
    [["ada", null], ["bob", null]],
    [["bob", "busy"]],
  ]);
});

const HAS = [
  [["orders.read"], "orders.read", true],
  [["orders.read"], "orders.reader", false],
  [["orders.*"], "orders.read", true],
  [["orders.*"], "orders", false],
  [["reports.read:*"], "reports.read:berlin", true],
  [["*"], "anything", true],
  [["*", "!orders.delete"], "orders.delete", false],
  [["!orders.*", "orders.read"], "orders.read", false],
  [["orders.*", "!orders.delete"], "orders.read", true],
  [[], "orders.read", false],
];

for (const [list, permission, has] of HAS) {
  test(`[${list}] ${has ? "has" : "has not"} ${permission}`, async () => {
    client = await opened({}, { permissions: list });
    assert.equal(client.permissions.has(permission), has);
  });
}

test("a change of permissions is told at once", async () => {
  client = await opened({}, { user: "ada", permissions: ["a"] });
  const seen = recorded((fn) => client.permissions.subscribe(fn));
  ScriptedSocket.last.says('notice permissions {"user":"ada","permissions":[]}');
  assert.deepEqual(seen, [[["a"]], [[]]]);
});

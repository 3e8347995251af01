// What the client's types let pass.
import { connect, Disconnected, PlugsockError, type Client, type Topic, type View } from "./plugsock/index";
import type { Circle, Disc, OrdersOrder, OrdersOrderInput, Plugs } from "./types";

const client: Client<Plugs> = connect<Plugs>("wss://example.org", { token: async () => "abc", timeout: 5 });

export async function calls(): Promise<void> {
  const page = await client.call("orders.place", { sku: "tea/1" });
  const order: OrdersOrder = page.items[0]!;
  const wanted: OrdersOrderInput = { ...order, count: order.count + 1 };
  await client.call("orders.place", wanted, { signal: AbortSignal.timeout(100), timeout: 2.5 });
  const nothing: null = await client.call("orders.ping");
  await client.call("orders.ping", undefined, { timeout: 1 });
  await client.call("orders.maybe", null);
  const figures: (Circle | Disc)[] = await client.call("orders.area", { figure: { type: "disc", radius: 2 }, level: 2 });
  const bytes: Uint8Array = await client.call("orders.upload", new Uint8Array([1, 2]));
  await client.call("orders.upload", new ArrayBuffer(2));
  console.log(nothing, figures, bytes);
}

export async function streams(): Promise<void> {
  for await (const each of client.stream("orders.feed")) console.log(each.sku.length);
  for await (const each of client.stream("orders.feed", { since: 3 }, { credit: 4 })) console.log(each.count);
}

export async function views(): Promise<void> {
  const view = client.view("orders.summary", { day: "2026-11-24" }, { patch: false });
  const colours: ("red" | "dark blue" | null)[] | undefined = view.value?.tea;
  const stop: () => void = view.subscribe((value, status) => console.log(value?.milk, status === "revoked"));
  const { value, error } = view.snapshot();
  const { tea } = await view.first(AbortSignal.timeout(100));
  const plain: View<Record<string, ("red" | "dark blue" | null)[]>> = view;
  stop();
  console.log(colours, value?.tea, error?.code, tea, plain);
}

export function topics(): void {
  client.topic("kitchen").on("orders.placed", (data: unknown) => console.log(data));
  const room: Topic<Plugs["topics"]["room.12"]> = client.topic("room.12");
  room.members.subscribe((members) => console.log(members?.map(({ id }) => id)));
  room.subscribe(({ status, recovered, position }) => console.log(status, recovered, position?.length));
  room.leave();
}

export function rest(): void {
  client.permissions.subscribe((list) => console.log(list.length, client.permissions.has("orders.read")));
  client.onState((state, why) => console.log(state === "waiting" && why?.retryMs));
  client.on<{ text: string }>("chat.message", ({ text }) => console.log(text));
  client.onNotice((name, data) => console.log(name, data));
  const error: PlugsockError = new Disconnected("gone", 4502);
  console.log(error.code, error.afterMs, error.path, client.user, client.mocked);
  client.close();
}

export async function untyped(): Promise<void> {
  const anything = connect();
  const answer = await anything.call("any.thing", { at: "all" });
  for await (const item of anything.stream("any")) console.log(item.field);
  anything.view("any").subscribe((value) => console.log(value.field));
  anything.topic("any").on("event", (data) => console.log(data.field));
  console.log(answer.field);
}

export function mocked(): void {
  const mock = connect<Plugs>("mock:", { shapes: {}, fault: { latency: 0.2, error: 0.05 } });
  const stop: () => void = mock.mock("orders.place", ({ sku }) => ({ sku }));
  stop();
}

import type { Client } from "./client";
import type { Circle, Disc, ErrorCode, OrdersOrder, OrdersOrderInput, Plugs } from "./types";

declare const socket: Client<Plugs>;

export async function uses(): Promise<void> {
  const page = await socket.call("orders.place", { sku: "tea/1" });
  const order: OrdersOrder = page.items[0]!;
  const count: number = order.count;
  const at: string | null = order.at;
  const wanted: OrdersOrderInput = { ...order, count: count + 1 };
  await socket.call("orders.place", wanted);
  await socket.call("orders.price", { sku: "tea", tags: ["new"] });
  const nothing: null = await socket.call("orders.ping");
  await socket.call("orders.maybe");
  await socket.call("orders.maybe", null);
  const figures: (Circle | Disc)[] = await socket.call("orders.area", { figure: { type: "disc", radius: 2 }, level: 2 });
  const sizes = figures.map((each) => (each.type === "disc" ? each.colour : each.radius));
  const bytes: Uint8Array = await socket.call("orders.upload", new Uint8Array([1, 2]));
  for await (const each of socket.stream("orders.feed")) console.log(each.sku.length);
  for await (const each of socket.stream("orders.feed", { since: 3 })) console.log(each.count);
  const colours: ("red" | "dark blue" | null)[] | undefined = socket.view("orders.summary", { day: "2026-11-24" }).value?.tea;
  socket.topic("kitchen").on("orders.placed", (data: unknown) => console.log(data));
  socket.topic("room.12").on("said", (data: unknown) => console.log(data));
  const [[pair, packed, loud, sparse]] = await socket.call("orders.much", {
    pair: [1],
    packed: [7, 1, [7, 2]],
    loud: { times: 1 },
    empty: {},
    sparse: { "of-bytes": "aGk=", stock: { "dark blue": 1 } },
    id: "6f2c1f0e-0c3b-4b58-9c0b-8f6a6f0f2a51",
    point: { x: 1 },
    square: { "kind of it": "square", side: 1 },
    mode: null,
    table: { "6f2c1f0e-0c3b-4b58-9c0b-8f6a6f0f2a51": [1, "a"] },
    lasts: "PT90S",
    opens: "06:00:00",
  });
  const sum: number = pair[1] + packed[1] + (loud.loud ? 1 : 2) + (sparse.stock?.red ?? 0);
  const code: ErrorCode = "worker_lost";
  console.log(at, nothing, sizes, bytes, colours, sum, code);
}

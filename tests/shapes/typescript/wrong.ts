// Every line of `uses` is refused, with the error that it names.
import type { Client } from "./client";
import type { Circle, Disc, ErrorCode, Plugs } from "./types";

declare const socket: Client<Plugs>;
declare const figure: Circle | Disc;

export async function uses(): Promise<void> {
  await socket.call("orders.plaice", { sku: "tea" }); // 2345: a wrong event
  await socket.call("orders.feed", {}); // 2345: a stream is none
  await socket.call("orders.place", { sku: "tea", size: 1 }); // 2353: a field that is not there
  await socket.call("orders.place", { count: 1 }); // 2741: a field is missing
  await socket.call("orders.place"); // 2554: everything is missing
  await socket.call("orders.place", { sku: 1 }); // 2322: a field of another type
  await socket.call("orders.ping", { loud: true }); // 2322: it takes nothing
  await socket.call("orders.upload", "text"); // 2345: it takes bytes
  await socket.call("orders.area", { figure: { type: "ring", radius: 2 } }); // 2322: another tag
  await socket.call("orders.area", { figure, level: 3 }); // 2322: no member of the enum
  (await socket.call("orders.place", { sku: "tea" })).pages; // 2339: no field of the result
  ((await socket.call("orders.place", { sku: "tea" })).next ?? 0).length; // 2339: not of that type
  (await socket.call("orders.place", { sku: "tea" })).next.toFixed(); // 2532: it may be absent
  (await socket.call("orders.maybe")).total; // 2571: nothing is known
  figure.colour; // 2339: only the one with the other tag has that
  socket.view("orders.summary", { day: 3 }); // 2322: no day
  socket.topic("cellar"); // 2345: nobody may join that
  ("lost" satisfies ErrorCode); // 1360: no code of the server's
  for await (const each of socket.stream("orders.feed")) each.sku.next; // 2339: no field of an item
}

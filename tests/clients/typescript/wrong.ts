// What the client's types refuse: a line that would pass is an error here.
import { connect } from "./plugsock/index";
import type { Plugs } from "./types";

const client = connect<Plugs>();

export async function calls(): Promise<void> {
  // @ts-expect-error a wrong event
  await client.call("orders.plaice", { sku: "tea" });
  // @ts-expect-error a stream is no call
  await client.call("orders.feed", {});
  // @ts-expect-error a field that is not there
  await client.call("orders.place", { sku: "tea", size: 1 });
  // @ts-expect-error a field is missing
  await client.call("orders.place", { count: 1 });
  // @ts-expect-error everything is missing
  await client.call("orders.place");
  // @ts-expect-error a field of another type
  await client.call("orders.place", { sku: 1 });
  // @ts-expect-error it takes nothing
  await client.call("orders.ping", { loud: true });
  // @ts-expect-error it takes bytes
  await client.call("orders.upload", "text");
  // @ts-expect-error no field of the result
  (await client.call("orders.place", { sku: "tea" })).pages;
  // @ts-expect-error no option of a call
  await client.call("orders.place", { sku: "tea" }, { credit: 2 });
}

export async function rest(): Promise<void> {
  // @ts-expect-error a call is no stream
  client.stream("orders.place", { sku: "tea" });
  // @ts-expect-error no field of an item
  for await (const each of client.stream("orders.feed")) each.sku.next;
  // @ts-expect-error the day is missing
  client.view("orders.summary");
  // @ts-expect-error no day
  client.view("orders.summary", { day: 3 });
  // @ts-expect-error it may not be there yet
  client.view("orders.summary", { day: "2026-11-24" }).value.tea;
  // @ts-expect-error no status
  client.view("orders.summary", { day: "2026-11-24" }).subscribe((_, status) => status === "fault");
  // @ts-expect-error nobody may join that
  client.topic("cellar");
  // @ts-expect-error no state
  client.onState((state) => state === "lost");
  // @ts-expect-error only the client says what it is
  client.state = "open";
  // @ts-expect-error no option
  connect<Plugs>("/", { tokens: "abc" });
}

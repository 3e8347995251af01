// For staff: what waits, what has just come, and everything there was.

import { client } from "./connection";
import { byId, cups, keep, money, Row, said } from "./elements";
import type { Board, Placed } from "./types";

const LINES = 100;

const kitchen = client.topic("kitchen");
const board = client.view("orders.board");
const showWaiting = keep<Placed>(byId("waiting"), (order) => order.number, newWaiting);
const look = byId<HTMLButtonElement>("look");
const stop = byId<HTMLButtonElement>("stop");

let ends: (() => void)[] = [];
let looking: AbortController | undefined;

/** Keeps the screen current from now on. */
export function openOffice(): void {
  if (ends.length) return;
  ends = [
    board.subscribe((value, status) => showBoard(status === "revoked" ? undefined : value)),
    kitchen.on("orders.placed", ring),
    kitchen.members.subscribe((all) => {
      byId("here").textContent = all ? String(all.length) : "";
    }),
  ];
}

/** Empties the screen: who may not see it any more must not find what was there. */
export function closeOffice(): void {
  for (const end of ends.splice(0)) end();
  looking?.abort();
  showBoard(undefined);
  for (const id of ["news", "here", "looked", "office-trouble", "history"]) byId(id).replaceChildren();
}

look.addEventListener("click", () => void lookThrough());
stop.addEventListener("click", () => looking?.abort());

function showBoard(value: Board | undefined): void {
  showWaiting(value?.waiting ?? []);
  byId("waiting-count").textContent = value ? String(value.waiting.length) : "";
  byId("served").textContent = value ? String(value.served) : "";
  byId("cents").textContent = value ? money(value.cents) : "";
}

function newWaiting({ number }: Placed): Row<Placed> {
  const row = new Row<Placed>("order-row", showPlaced);
  const button = document.createElement("button");
  button.textContent = "Served";
  button.setAttribute("aria-label", `Order ${number} is served`);
  button.addEventListener("click", () => void serve(number));
  row.element.append(button);
  return row;
}

function showPlaced(order: Placed, row: Row<Placed>): void {
  row.text("number", `Order ${order.number}`);
  row.text("what", `${cups(order.count)} of ${order.tea} for ${order.name}`);
  row.text("more", new Date(order.placed).toLocaleTimeString());
}

async function serve(number: number): Promise<void> {
  try {
    byId("office-trouble").textContent = "";
    await client.call("orders.serve", { number });
  } catch (wrong) {
    byId("office-trouble").textContent = said(wrong);
  }
}

/** What is pushed has no declared type: it is looked at before it is used. */
function ring(data: unknown): void {
  const { number, tea, count } = Object(data);
  byId("news").textContent = `Just in: order ${number}, ${cups(count)} of ${tea}`;
}

/** Reads all orders, no faster than they are shown, until the end or until somebody stops it. */
async function lookThrough(): Promise<void> {
  const list = byId("history");
  list.replaceChildren();
  looking = new AbortController();
  const { signal } = looking;
  running(true);
  let count = 0;
  try {
    for await (const order of client.stream("orders.history", {}, { signal })) {
      const row = new Row<Placed>("order-row", showPlaced);
      row.show(order);
      list.prepend(row.element);
      if (++count > LINES) list.lastElementChild?.remove();
      byId("looked").textContent = `${count} so far`;
    }
    byId("looked").textContent = `${count} in all`;
  } catch (wrong) {
    if (!signal.aborted) byId("office-trouble").textContent = said(wrong);
    else if (ends.length) byId("looked").textContent = `Stopped after ${count}`;
  } finally {
    running(false);
  }
}

function running(is: boolean): void {
  look.hidden = is;
  stop.hidden = !is;
  if (document.activeElement === document.body) (is ? stop : look).focus();
}

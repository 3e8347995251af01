// For everybody: what there is, what somebody orders, and how far that is.

import { client } from "./connection";
import { byId, cups, keep, money, Row, said } from "./elements";
import type { Tea, Ticket } from "./types";

const form = byId<HTMLFormElement>("order");
const trouble = byId("trouble");
const tickets = byId("tickets");

export function openShop(): void {
  form.addEventListener("submit", (event) => event.preventDefault());
  const showTeas = keep<Tea>(byId("teas"), (tea) => tea.sku, newTea);
  client.view("shop.teas").subscribe((teas, status) => {
    if (teas) showTeas(teas);
    byId("teas").setAttribute("aria-busy", String(status === "loading"));
  });
}

function newTea(tea: Tea): Row<Tea> {
  const row = new Row<Tea>("tea-row", showTea);
  row.element.querySelector("button")?.addEventListener("click", () => void order(tea));
  return row;
}

function showTea(tea: Tea, row: Row<Tea>): void {
  row.text("name", tea.name);
  row.text("cents", money(tea.cents));
  row.text("cups", tea.cups ? `${tea.cups} left` : "all gone");
  const button = row.element.querySelector("button") as HTMLButtonElement;
  button.disabled = !tea.cups;
  button.setAttribute("aria-label", `Order ${tea.name}`);
}

async function order(tea: Tea): Promise<void> {
  if (!form.reportValidity()) return;
  const fields = new FormData(form);
  trouble.textContent = "";
  try {
    const what = { sku: tea.sku, name: String(fields.get("name")), count: Number(fields.get("count")) };
    const receipt = await client.call("shop.order", what, { timeout: 10 });
    follow(receipt.number, `${cups(what.count)} of ${tea.name}, ${money(receipt.cents)}`);
  } catch (wrong) {
    trouble.textContent = said(wrong);
  }
}

/** Shows an order until it is ready. */
function follow(number: number, what: string): void {
  const row = new Row<Ticket>("order-row", showTicket);
  row.text("number", `Order ${number}`);
  row.text("what", what);
  tickets.prepend(row.element);
  const end = client.view("shop.ticket", { number }).subscribe((ticket) => {
    if (!ticket) return;
    row.show(ticket);
    if (ticket.is_ready) queueMicrotask(() => end());
  });
}

function showTicket({ ahead, is_ready }: Ticket, row: Row<Ticket>): void {
  row.text("more", is_ready ? "Ready!" : ahead ? `${ahead} before you` : "You are next");
  row.element.classList.toggle("ready", is_ready);
}

// The frame around both screens: which one is shown, how the connection is, and who is there.

import type { State, Why } from "plugsock";
import { become, client, key } from "./connection";
import { byId } from "./elements";
import { closeOffice, openOffice } from "./office";
import { openShop } from "./shop";

const signIn = byId<HTMLFormElement>("sign-in");
const signOut = byId<HTMLButtonElement>("sign-out");

function showState(state: State, why?: Why): void {
  const open = client.mocked.length ? "Made-up answers" : "Live";
  const words = { connecting: "Connecting …", open, waiting: "Connection lost, trying again …", closed: "Closed" };
  const reason = state === "closed" && why?.reason ? `: ${why.reason}` : "";
  byId("state").textContent = words[state] + reason;
  byId("state").dataset.state = state;
  showWho();
}

function showScreens(): void {
  const mayRead = client.permissions.has("orders.read");
  const isOffice = mayRead && location.hash === "#office";
  byId("shop-screen").hidden = isOffice;
  byId("office-screen").hidden = !isOffice;
  if (isOffice) openOffice();
  else closeOffice();
  for (const link of document.querySelectorAll<HTMLAnchorElement>("nav a")) {
    const here = (link.hash === "#office") === isOffice;
    if (here) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
    if (link.hash === "#office") link.hidden = !mayRead;
  }
  showWho();
}

function showWho(): void {
  const isShut = key !== undefined && client.state === "open" && !client.permissions.has("orders.read");
  byId("who").textContent = isShut ? "This key does not open the back office." : "";
  signIn.hidden = key !== undefined;
  signOut.hidden = key === undefined;
}

signIn.addEventListener("submit", (event) => {
  event.preventDefault();
  become(String(new FormData(signIn).get("key")));
});
signOut.addEventListener("click", () => become(null));
addEventListener("hashchange", showScreens);

openShop();
showState(client.state);
client.onState(showState);
client.permissions.subscribe(showScreens);

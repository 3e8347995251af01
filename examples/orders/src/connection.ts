// The one connection of the page, and where it goes: that is said outside of the source.

import { connect } from "plugsock";
import type { Plugs } from "./types";

const KEY = "staff-key";
const OF_THIS_MACHINE = ["localhost", "127.0.0.1", "[::1]"];

/** From the address of the page, else from when it was built; without either, there is no server and answers are made up. */
function server(): string {
  const asked = new URLSearchParams(location.search).get("server");
  if (asked === null) return import.meta.env.VITE_SERVER ?? "mock:";
  const { protocol, hostname } = new URL(asked);
  // A link must not be able to send the key of the staff to a stranger.
  if (protocol === "mock:" || hostname === location.hostname || OF_THIS_MACHINE.includes(hostname)) return asked;
  throw new Error(`The address of this page names a server that it may not use: ${hostname}`);
}

const url = server();
export const key = sessionStorage.getItem(KEY) ?? undefined;

/** Typed by what the plugs say of themselves. */
export const client = connect<Plugs>(url, {
  token: key,
  shapes: url === "mock:" ? (await import("./shapes.json")).default : undefined,
});

/** Goes on as somebody else: with a key as staff, without one as a guest. */
export function become(key: string | null): void {
  if (key === null) sessionStorage.removeItem(KEY);
  else sessionStorage.setItem(KEY, key);
  location.reload();
}

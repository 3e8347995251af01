// What one may do, as the server says it: what is held and then, each after a `!`, what of that is denied.

import { Store } from "./listeners.js";
import type { Permissions } from "./types.js";

/** Is this permission held, and not denied? */
export function allows(list: readonly string[], permission: string): boolean {
  const fits = (rule: string) =>
    rule.endsWith("*") ? permission.startsWith(rule.slice(0, -1)) : rule === permission;
  const isDenied = list.some((rule) => rule[0] === "!" && fits(rule.slice(1)));
  return !isDenied && list.some((rule) => rule[0] !== "!" && fits(rule));
}

/** A store of permissions as its users see it. */
export function permissionsOf(store: Store<readonly string[]>): Permissions {
  return {
    get list() {
      return store.value_;
    },
    has: (permission) => allows(store.value_, permission),
    subscribe: (fn) => store.subscribe_(fn),
  };
}

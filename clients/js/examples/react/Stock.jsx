import { useMemo, useSyncExternalStore } from "react";
import { client } from "../client.js";

export function Stock({ shop }) {
  const stock = useMemo(() => client.view("shelf.stock", { shop }), [shop]);
  const { value, status } = useSyncExternalStore(stock.subscribe, stock.snapshot);
  const lines = Object.entries(value ?? {}).map(([sku, count]) => <li key={sku}>{sku}: {count}</li>);
  return <ul aria-busy={status === "loading"}>{lines}</ul>;
}

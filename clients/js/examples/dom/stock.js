import { client } from "../client.js";

/** Shows what a shop has, until what is returned is called. */
export function showStock(list, shop) {
  return client.view("shelf.stock", { shop }).subscribe((stock) => {
    const lines = Object.entries(stock ?? {}).map(([sku, count]) => {
      return Object.assign(document.createElement("li"), { textContent: `${sku}: ${count}` });
    });
    list.replaceChildren(...lines);
  });
}

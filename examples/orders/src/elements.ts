// What screens are made of.

import { PlugsockError } from "plugsock";

/** The element with this id. */
export function byId<E extends HTMLElement = HTMLElement>(id: string): E {
  return document.getElementById(id) as E;
}

/** A row of a template, and how an item is shown in it. */
export class Row<T> {
  readonly element: HTMLElement;
  readonly #draw: (item: T, row: Row<T>) => void;

  constructor(template: string, draw: (item: T, row: Row<T>) => void) {
    const found = byId<HTMLTemplateElement>(template).content.firstElementChild;
    this.element = found?.cloneNode(true) as HTMLElement;
    this.#draw = draw;
  }

  show(item: T): void {
    this.#draw(item, this);
  }

  /** Shows a text in a part of it. What plugs say is text, whatever it looks like. */
  text(part: string, text: string): void {
    const found = this.element.querySelector(`[data-part="${part}"]`) as HTMLElement;
    if (found.textContent !== text) found.textContent = text;
  }
}

/** Keeps the rows of a list as its items are. A row that stays is the same element, so that the focus stays there, too. */
export function keep<T>(list: HTMLElement, key: (item: T) => unknown, make: (item: T) => Row<T>): (items: T[]) => void {
  const shown = new Map<unknown, Row<T>>();
  return (items) => {
    const wanted = new Set(items.map(key));
    for (const [each, row] of shown) {
      if (wanted.has(each)) continue;
      row.element.remove();
      shown.delete(each);
    }
    items.forEach((item, place) => {
      const row = shown.get(key(item)) ?? make(item);
      shown.set(key(item), row);
      row.show(item);
      const there = list.children[place] ?? null;
      if (there !== row.element) list.insertBefore(row.element, there);
    });
  };
}

const EUROS = new Intl.NumberFormat("en", { style: "currency", currency: "EUR" });

export function money(cents: number): string {
  return EUROS.format(cents / 100);
}

export function cups(count: number): string {
  return count === 1 ? "1 cup" : `${count} cups`;
}

/** What went wrong, for people. */
export function said(wrong: unknown): string {
  if (!(wrong instanceof PlugsockError)) throw wrong;
  return wrong.path === undefined ? wrong.message : `${wrong.path.replace("$.", "")}: ${wrong.message}`;
}

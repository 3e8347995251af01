// The list of events: what is served, in the order of its names, and which of it is new.

import { $, element } from "./elements.js";

const FILTER_FROM = 9; // events: fewer can be taken in at a glance
const ORIGINS = [["folder", "In your folder"], ["embedded", "Comes with plugsock"]];

export class EventList {
  events = [];
  #shownAs = "";

  constructor(onChoice) {
    this.onChoice = onChoice;
    $("filter").addEventListener("input", () => this.#draw());
    $("list").addEventListener("keydown", (key) => this.#walk(key));
  }

  get(event) {
    return this.events.find((each) => each.event === event);
  }

  // Shows what is served now, and which of it is new since it was last shown.
  update(events) {
    const before = new Map(this.events.map((each) => [each.event, each.revision]));
    const fresh = before.size ? events.filter((each) => before.get(each.event) !== each.revision) : [];
    this.events = events;
    $("filter-field").hidden = events.length < FILTER_FROM && !$("filter").value;
    $("first").hidden = events.some((each) => each.origin === "folder");
    this.#draw(new Set(fresh.map((each) => each.event)));
  }

  mark(chosen) {
    for (const button of $("list").querySelectorAll("button")) {
      if (button.value === chosen) button.setAttribute("aria-current", "true");
      else button.removeAttribute("aria-current");
    }
  }

  #draw(fresh = new Set()) {
    const wanted = $("filter").value.trim().toLowerCase();
    const shown = this.events.filter((each) => `${each.event} ${each.doc}`.toLowerCase().includes(wanted));
    const focused = document.activeElement?.closest("#list button")?.value;
    const groups = ORIGINS.map(([origin, title]) => this.#group(title, shown.filter((each) => each.origin === origin), fresh));
    $("list").replaceChildren(...groups.filter(Boolean));
    $("none").hidden = shown.length > 0 || this.events.length === 0;
    this.onDrawn?.();
    if (focused) this.#button(focused)?.focus();
  }

  #group(title, events, fresh) {
    if (!events.length) return null;
    const group = element("div");
    const heading = element("h3", "", title);
    const list = element("ul");
    heading.id = `group-${events[0].origin}`;
    list.setAttribute("aria-labelledby", heading.id);
    list.append(...events.map((each) => this.#row(each, fresh.has(each.event))));
    group.append(heading, list);
    return group;
  }

  #row(each, isFresh) {
    const row = element("li");
    const button = element("button", isFresh ? "fresh" : "");
    button.type = "button";
    button.value = each.event;
    button.append(element("span", "", each.event), element("span", "kind", each.kind === "call" ? "" : each.kind));
    button.addEventListener("click", () => this.onChoice(each.event));
    row.append(button);
    return row;
  }

  #button(event) {
    return [...$("list").querySelectorAll("button")].find((button) => button.value === event);
  }

  #walk(key) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[key.key];
    if (!step) return;
    const buttons = [...$("list").querySelectorAll("button")];
    buttons[buttons.indexOf(document.activeElement) + step]?.focus();
    key.preventDefault();
  }
}

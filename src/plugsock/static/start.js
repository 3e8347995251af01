// The start page: lists what is served, calls one event at a time, and follows the server wherever it goes.
// Whatever comes from the server is written as text, never as markup; the page's policy forbids anything else.

import { Call } from "./call.js";
import { Connection } from "./connection.js";
import { $ } from "./elements.js";
import { example } from "./example.js";
import { whyNotJson } from "./json.js";
import { EventList } from "./list.js";

class Page {
  #drafts = new Map(); // event -> what was typed for it
  #chosen = "";
  #running = null;
  #looks = 0;

  constructor() {
    this.connection = new Connection({
      onState: (state, close) => this.#state(state, close),
      onNotice: (name, data) => this.#notice(name, data),
    });
    this.list = new EventList((event) => {
      this.choose(event);
      if (matchMedia("(max-width: 46rem)").matches) $("event").scrollIntoView(); // it stands below the list there
    });
    this.list.onDrawn = () => this.list.mark(this.#chosen);
    $("form").addEventListener("submit", (submit) => this.#submit(submit));
    $("payload").addEventListener("input", () => this.#typed());
    $("payload").addEventListener("keydown", (key) => {
      if (key.key === "Enter" && (key.ctrlKey || key.metaKey)) $("form").requestSubmit();
    });
    $("stop").addEventListener("click", () => this.#running?.stop());
    $("connect").addEventListener("click", () => this.#connect());
    addEventListener("hashchange", () => this.choose(fromAddress()));
    addEventListener("online", () => this.connection.hurry());
    document.addEventListener("visibilitychange", () => document.hidden || this.connection.hurry());
    this.#connect();
  }

  choose(event) {
    if (!this.list.get(event) || event === this.#chosen) return;
    this.#running?.leave();
    this.#running = null;
    this.#chosen = event;
    history.replaceState(null, "", `#${event}`);
    $("result").hidden = true;
    this.#wrong("");
    this.list.mark(event);
    this.#show();
  }

  #connect() {
    this.#state("connecting");
    this.connection.open();
  }

  #state(state, close) {
    const texts = { open: "Connected", connecting: "Connecting …", waiting: "Connection lost, trying again …" };
    $("state").dataset.state = state;
    $("state").firstElementChild.textContent = texts[state] ?? `Closed by the server: ${close.reason || close.code}`;
    $("connect").hidden = state !== "closed";
    this.#buttons();
    if (state === "open") this.#look();
  }

  #notice(name, data) {
    if (name === "plugs") {
      $("news").textContent = `The plugs have changed: ${data.changed.join(", ")}.`;
      this.#look();
    }
  }

  // Asks what is served; of several questions at once the last one counts.
  async #look() {
    const look = ++this.#looks;
    const answer = await fetch("/events.json", { cache: "no-store" }).catch(() => null);
    const listing = answer?.ok ? await answer.json().catch(() => null) : null;
    if (look !== this.#looks || !listing) return;
    this.list.update(listing.events);
    $("documents").hidden = !listing.has_documents;
    if (this.#chosen) this.#show();
    else this.choose(this.#firstChoice());
  }

  #firstChoice() {
    const events = this.list.events;
    const first = events.find((each) => each.origin === "folder") ?? events[0];
    return this.list.get(fromAddress()) ? fromAddress() : first?.event;
  }

  #show() {
    const each = this.list.get(this.#chosen);
    $("event").hidden = false;
    $("name").textContent = this.#chosen;
    this.#buttons();
    if (!each) {
      $("doc").textContent = "This event has gone: its file was removed, or answers to another name now.";
      return;
    }
    $("doc").textContent = each.doc;
    $("input").textContent = each.input;
    $("output").textContent = each.output;
    $("answers").textContent = each.kind === "call" ? "answers" : "yields";
    $("origin").textContent = each.origin === "folder" ? "your folder" : "plugsock itself";
    $("revision").textContent = each.revision;
    const draft = this.#drafts.get(each.event) ?? example(each.input);
    if ($("payload").value !== draft) $("payload").value = draft;
  }

  #typed() {
    this.#drafts.set(this.#chosen, $("payload").value);
    this.#wrong("");
  }

  #submit(submit) {
    submit.preventDefault();
    const each = this.list.get(this.#chosen);
    if (!each || !this.connection.isOpen || this.#running) return;
    const payload = $("payload").value.trim();
    const wrong = payload && whyNotJson(payload);
    this.#wrong(wrong);
    if (wrong) return;
    this.#running = new Call(this.connection, each, payload, (call) => this.#ended(call));
    this.#buttons();
  }

  #ended(call) {
    if (this.#running !== call) return;
    this.#running = null;
    this.#buttons();
  }

  #buttons() {
    const isRunning = this.#running !== null;
    const hadFocus = document.activeElement;
    $("call").disabled = isRunning || !this.connection.isOpen || !this.list.get(this.#chosen);
    $("stop").hidden = !isRunning;
    if (hadFocus === $("call") && isRunning) $("stop").focus();
    if (hadFocus === $("stop") && !isRunning) $("call").focus();
  }

  #wrong(text) {
    $("wrong").textContent = text;
    $("payload").toggleAttribute("aria-invalid", Boolean(text));
  }
}

function fromAddress() {
  return location.hash.slice(1);
}

new Page();

// One call, from the moment it is sent until its one answer.

import { $, element } from "./elements.js";
import { written } from "./json.js";

const SHOWN_ITEMS = 200; // of a stream; earlier ones make room

export class Call {
  #began = performance.now();
  #items = [];
  #count = 0;
  #isDrawing = false;
  #isLeft = false;

  constructor(connection, each, payload, onEnd) {
    this.onEnd = onEnd;
    this.connection = connection;
    this.isStream = each.kind !== "call";
    $("answer").replaceChildren();
    $("earlier").hidden = true;
    $("result").hidden = false;
    this.#say(this.isStream ? "Waiting for the first item …" : "Waiting for the answer …");
    this.id = connection.call(each.event, payload, this.isStream, this);
  }

  item(json) {
    this.#items.push(json);
    if (this.#isDrawing) return;
    this.#isDrawing = true;
    requestAnimationFrame(() => this.#draw());
  }

  ok(json) {
    this.#draw();
    if (this.isStream) {
      this.#end(`Ended after ${items(this.#count)}, in ${this.#took()}.`);
    } else {
      $("answer").replaceChildren(written(json || "null"));
      this.#end(`Answered in ${this.#took()}.`);
    }
  }

  error(fault) {
    this.#draw();
    if (fault.code === "cancelled" && this.isStopped) {
      this.#end(`Stopped after ${this.isStream ? `${items(this.#count)}, ` : ""}${this.#took()}.`);
      return;
    }
    const { code, message, retry } = fault;
    const details = detailsOf(fault);
    if (this.isStream) $("answer").append(...details);
    else $("answer").replaceChildren(...details);
    const again = retry ? " The same call may work later." : "";
    this.#end(` ${message || "The plug says no more about it."} (after ${this.#took()})${again}`, code);
  }

  lost() {
    this.#draw();
    this.#end(" The connection was lost before the answer came. The call may have run.", "lost");
  }

  stop() {
    this.isStopped = true;
    this.connection.cancel(this.id);
  }

  // Ends it and shows nothing more: its place on the page belongs to another event now.
  leave() {
    this.#isLeft = true;
    this.connection.leave(this.id);
  }

  // Shows what has come since the last frame of the screen, and only then asks for as much again.
  #draw() {
    this.#isDrawing = false;
    const fresh = this.#items.splice(0);
    if (!fresh.length || this.#isLeft) return;
    this.#count += fresh.length;
    const list = $("answer");
    const atEnd = list.scrollTop + list.clientHeight >= list.scrollHeight - 8;
    list.append(...fresh.slice(-SHOWN_ITEMS).map(written));
    while (list.childElementCount > SHOWN_ITEMS) list.firstElementChild.remove();
    if (atEnd) list.scrollTop = list.scrollHeight;
    $("earlier").hidden = this.#count <= SHOWN_ITEMS;
    $("earlier").textContent = `The last ${SHOWN_ITEMS} are shown.`;
    this.#say(`${items(this.#count)} so far.`, "", "off"); // not read out loud, item after item
    this.connection.more(this.id, fresh.length);
  }

  #end(text, code = "") {
    this.#say(text, code);
    this.onEnd(this);
  }

  #say(text, code = "", live = "polite") {
    $("outcome").setAttribute("aria-live", live);
    const strong = element("strong", "", code);
    $("outcome").className = code ? "wrong" : "";
    $("outcome").replaceChildren(...(code ? [strong, text] : [text]));
  }

  #took() {
    const ms = performance.now() - this.#began;
    return ms < 1_000 ? `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms` : `${(ms / 1_000).toFixed(1)} s`;
  }
}

// What an error says besides its sentence: the traceback that a server with --dev sends, or whatever else there is.
function detailsOf({ code, message, retry, ...rest }) {
  if (typeof rest.data?.traceback === "string") return [element("code", "value", rest.data.traceback.trimEnd())];
  return Object.keys(rest).length ? [written(JSON.stringify(rest))] : [];
}

function items(count) {
  return count === 1 ? "1 item" : `${count.toLocaleString("en")} items`;
}

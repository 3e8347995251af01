// What goes wrong on purpose, as with `plugsock mock --fault`.

import type { Fault } from "../transport.js";
import { type Clock, pause } from "./clock.js";
import { Failed, failure } from "./failure.js";

/** Comes before each answer, item and value. Of all in the mock this alone is chance, and not the same each time. */
export class Trouble {
  readonly #fault: Fault;
  readonly #clock: Clock;
  readonly #chance: () => number;
  readonly #drop: () => void;

  /** `chance` gives numbers from 0 to 1; `drop` cuts the connection. */
  constructor(fault: Fault, clock: Clock, chance: () => number, drop: () => void) {
    this.#fault = fault;
    this.#clock = clock;
    this.#chance = chance;
    this.#drop = drop;
  }

  /** Wait, and then fail, cut the connection, or do nothing. */
  async meet(over: AbortSignal): Promise<void> {
    const { latency = 0, error = 0, drop = 0 } = this.#fault;
    if (latency > 0) {
      await pause(latency, this.#clock, over);
    }
    if (over.aborted) {
      return;
    }
    const chance = this.#chance();
    if (chance < drop) {
      this.#drop();
    } else if (chance < drop + error) {
      throw new Failed(failure("plug_error", "Made up by the option `fault`."));
    }
  }
}

// How each kind of event is answered, from its opening to its end.

import type { Answers, Question } from "./answers.js";
import { type Clock, ended, pause } from "./clock.js";
import { Failed, failure, thrown } from "./failure.js";
import type { Open } from "./open.js";
import type { Trouble } from "./trouble.js";
import { written, type Payload } from "./wire.js";

/** What runs are made of. */
export interface Means {
  answers: Answers;
  trouble: Trouble;
  clock: Clock;
}

type Asked = Omit<Question, "over">;

/** Answer a call, or send the items of a stream; `timeout` is in seconds, for the answer or for each item. */
export async function call(open: Open, asked: Asked, timeout: number, means: Means): Promise<void> {
  try {
    const question = { ...asked, over: open.over };
    const answer = await within(timeout, open, means.answers.called(question), means.clock);
    if (isStream(answer)) {
      await stream(open, answer, timeout, means);
    } else {
      await means.trouble.meet(open.over);
      open.ok(answer);
    }
  } catch (error) {
    open.error(thrown(error, open.name));
  }
}

async function stream(open: Open, items: AsyncIterable<Payload>, timeout: number, means: Means): Promise<void> {
  const iterator = items[Symbol.asyncIterator]();
  try {
    while (!open.isOver) {
      await open.credit();
      const next = await within(timeout, open, iterator.next(), means.clock);
      if (open.isOver) {
        return;
      }
      await means.trouble.meet(open.over);
      if (next.done) {
        open.ok();
      } else {
        open.item(next.value);
      }
    }
  } finally {
    leave(iterator);
  }
}

/** Send the values of a view until it is over; `Open.again` asks for them anew. */
export async function watch(open: Open, asked: Asked, means: Means): Promise<void> {
  const sent = { text: "" };
  while (!open.isOver) {
    const over = open.round();
    try {
      await round(open, means.answers.watched({ ...asked, over }), over, sent, means);
    } catch (error) {
      const reason = thrown(error, open.name);
      if (reason.code === "bad_payload" && !over.aborted) {
        open.error(reason);
      } else if (!over.aborted) {
        open.fault(reason);
      }
    }
    await ended(over);
  }
}

async function round(
  open: Open,
  values: AsyncIterable<Payload>,
  over: AbortSignal,
  sent: { text: string },
  means: Means,
): Promise<void> {
  const iterator = values[Symbol.asyncIterator]();
  try {
    while (!over.aborted) {
      const next = await Promise.race([iterator.next(), ended(over)]);
      if (!next || next.done) {
        return;
      }
      await change(open, next.value, over, sent, means);
    }
  } finally {
    leave(iterator);
  }
}

/** Send a value, if it differs from the one that was sent last. */
async function change(
  open: Open,
  value: Payload,
  over: AbortSignal,
  sent: { text: string },
  means: Means,
): Promise<void> {
  try {
    await means.trouble.meet(over);
  } catch (error) {
    sent.text = ""; // after a fault the next value says that all is well again, even if it is the same
    return open.fault(thrown(error, open.name));
  }
  const text = value instanceof Uint8Array ? String(value) : String(written("", value, false));
  if (!over.aborted && text !== sent.text) {
    sent.text = text;
    open.item(value, false);
  }
}

async function within<T>(seconds: number, open: Open, answer: Promise<T>, clock: Clock): Promise<T> {
  const done = new AbortController();
  open.over.addEventListener("abort", () => done.abort(), { once: true });
  const late = pause(seconds, clock, done.signal).then((): never => {
    throw new Failed(failure("timeout", `There was no answer within ${seconds} s.`));
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    done.abort();
  }
}

/** Tell a generator that nobody wants more of it; what it does then is its own affair. */
function leave(iterator: AsyncIterator<unknown>): void {
  void Promise.resolve(iterator.return?.()).catch(() => {});
}

function isStream(answer: Payload | AsyncIterable<Payload>): answer is AsyncIterable<Payload> {
  return typeof answer === "object" && answer !== null && Symbol.asyncIterator in answer;
}

// What plugs look like to those who call them. Made by `plugsock types`: what is changed here will be lost.
// Hash of all shapes: 6dc317f8a99f
//
// Integers are `number`, too: browsers round those beyond 2^53 (Number.MAX_SAFE_INTEGER).

/** All that a client can call, watch and join. */
export interface Plugs {
  calls: {
    /** Say something to everybody. */
    "chat.send": {
      args: {
        /**
         * @minLength 1
         * @maxLength 2000
         */
        text: string;
        /**
         * @minLength 1
         * @maxLength 40
         * @defaultValue "somebody"
         */
        name?: string;
      };
      result: Message;
    };
    /** Answer with the payload exactly as it came. */
    echo: {
      args: Uint8Array | ArrayBuffer | undefined;
      result: Uint8Array;
    };
    /** Add two numbers. */
    "math.add": {
      args: {
        a: number;
        b: number;
      };
      result: number;
    };
    /**
     * Say that an order is served.
     *
     * Requires `orders.write`.
     */
    "orders.serve": {
      args: {
        /**
         * @minimum 1
         * @maximum 1000000
         */
        number: number;
      };
      result: null;
    };
    /**
     * Order cups of a tea.
     * @example {"sku":"assam","name":"Ada","count":2} // {"number":7,"cents":580}
     * @example {"sku":"sencha","name":"Grace","count":1}
     */
    "shop.order": {
      args: OrderInput;
      result: Receipt;
    };
  };
  streams: {
    /** Tell the time, now and then again every so many seconds. */
    "clock.ticks": {
      args: {
        /**
         * @minimum 0.001
         * @maximum 20
         * @defaultValue 1.0
         */
        every?: number;
        /**
         * @minimum 1
         * @defaultValue null
         */
        times?: number | null;
      };
      item: ISODateTime;
    };
    /**
     * All orders from one on, as long as somebody reads.
     *
     * Requires `orders.read`.
     */
    "orders.history": {
      args: {
        /**
         * @minimum 1
         * @maximum 1000000
         * @defaultValue 1
         */
        since?: number;
      };
      item: Placed;
    };
  };
  views: {
    /**
     * Which orders wait, and how the day is going.
     *
     * Requires `orders.read`.
     * @example {}
     */
    "orders.board": {
      args: Record<string, never>;
      value: Board;
    };
    /**
     * What the shop has.
     * @example {} // [{"sku":"assam","name":"Assam","cents":290,"cups":40},{"sku":"moon","name":"Moon","cents":990,"cups":0},{"sku":"sencha","name":"Sencha","cents":340,"cups":24}]
     */
    "shop.teas": {
      args: Record<string, never>;
      value: Tea[];
    };
    /**
     * How far an order is.
     * @example {"number":7}
     */
    "shop.ticket": {
      args: {
        /**
         * @minimum 1
         * @maximum 1000000
         */
        number: number;
      };
      value: Ticket;
    };
  };
  topics: {
    /**
     * Requires `orders.read`.
     * Keeps the latest 20 pushes for 60 s.
     * Tells who else is there.
     */
    kitchen: Record<string, unknown>;
  };
}

/** What the server itself answers with in place of a result; plugs add codes of their own. */
export type ErrorCode =
  | "bad_frame"
  | "bad_payload"
  | "not_found"
  | "gone"
  | "unauthorized"
  | "token_expired"
  | "forbidden"
  | "revoked"
  | "too_large"
  | "limit"
  | "rate_limited"
  | "overloaded"
  | "timeout"
  | "cancelled"
  | "worker_lost"
  | "not_received"
  | "unknown_outcome"
  | "plug_error"
  | "quarantined"
  | "not_implemented";

/**
 * How the day is going.
 *
 * Attributes:
 *     waiting: The oldest first; the first thirty, if there are more.
 *     served: How many orders are done.
 *     cents: What all of them come to.
 */
export interface Board {
  /** @maxItems 30 */
  waiting: Placed[];
  /**
   * @minimum 0
   * @maximum 1000000
   */
  served: number;
  /**
   * @minimum 0
   * @maximum 100000000
   */
  cents: number;
}

/** Something that was said. */
export interface Message {
  name: string;
  text: string;
  at: ISODateTime;
}

/** What somebody would like. */
export interface OrderInput {
  /** @pattern ^[a-z]{3,12}$ */
  sku: string;
  /**
   * @minLength 1
   * @maxLength 40
   */
  name: string;
  /**
   * @minimum 1
   * @maximum 12
   * @defaultValue 1
   */
  count?: number;
}

/** An order that somebody has placed. */
export interface Placed {
  /**
   * @minimum 1
   * @maximum 1000000
   */
  number: number;
  /**
   * @minLength 1
   * @maxLength 40
   */
  name: string;
  /**
   * @minLength 1
   * @maxLength 40
   */
  tea: string;
  /**
   * @minimum 1
   * @maximum 12
   */
  count: number;
  placed: ISODateTime;
}

/** What was ordered, and what it costs. */
export interface Receipt {
  /**
   * @minimum 1
   * @maximum 1000000
   */
  number: number;
  /**
   * @minimum 0
   * @maximum 1000000
   */
  cents: number;
}

/**
 * A tea that the shop has.
 *
 * Attributes:
 *     cents: What a cup of it costs.
 *     cups: How many are left.
 */
export interface Tea {
  /** @pattern ^[a-z]{3,12}$ */
  sku: string;
  /**
   * @minLength 1
   * @maxLength 40
   */
  name: string;
  /**
   * @minimum 0
   * @maximum 1000000
   */
  cents: number;
  /**
   * @minimum 0
   * @maximum 1000
   */
  cups: number;
}

/**
 * How far an order is.
 *
 * Attributes:
 *     ahead: So many others come first.
 */
export interface Ticket {
  /**
   * @minimum 1
   * @maximum 1000000
   */
  number: number;
  /**
   * @minimum 0
   * @maximum 99
   */
  ahead: number;
  is_ready: boolean;
}

/** A moment (RFC 3339): "2026-11-24T06:00:00Z". */
export type ISODateTime = string;

// What plugs look like to those who call them. Made by `plugsock types`: what is changed here will be lost.
// Hash of all shapes: bbe9b94f25a8
//
// Integers are `number`, too: browsers round those beyond 2^53 (Number.MAX_SAFE_INTEGER).

/** All that a client can call, watch and join. */
export interface Plugs {
  calls: {
    "orders.area": {
      args: {
        figure: Circle | DiscInput;
        /** @defaultValue 1 */
        level?: Level;
      };
      result: (Circle | Disc)[];
    };
    "orders.maybe": {
      args: OrdersOrderInput | null | undefined;
      result: unknown;
    };
    "orders.much": {
      args: {
        pair: PairInput;
        packed: PackedInput;
        loud: Loud;
        empty: Empty;
        sparse: Sparse;
        id: UUID;
        point: PointInput;
        square: Square;
        mode: "fast" | "slow" | null;
        table: Record<UUID, (number | string)[]>;
        lasts: ISODuration;
        opens: ISOTime;
      };
      result: [Pair, Packed, Loud, Sparse, Point, Empty][];
    };
    "orders.ping": {
      args: Record<string, never>;
      result: null;
    };
    /**
     * Place an order.
     *
     * Twice is fine.
     *
     * Requires `orders.write`.
     */
    "orders.place": {
      args: OrdersOrderInput;
      result: PageOrder;
    };
    "orders.plant": {
      args: {
        tree: TreeInput;
        forest: ForestInput;
      };
      result: Forest;
    };
    "orders.price": {
      args: {
        sku: string;
        /**
         * @minimum 1
         * @defaultValue 1
         */
        count?: number;
        tags?: string[];
      };
      result: Decimal;
    };
    "orders.record": {
      args: OrdersRecord;
      result: OrdersRecord;
    };
    "orders.upload": {
      args: Uint8Array | ArrayBuffer | undefined;
      result: Uint8Array;
    };
    "stock.order": {
      args: StockOrder;
      result: ShelfOrder;
    };
  };
  streams: {
    /** Orders as they come. */
    "orders.feed": {
      args: {
        /** @defaultValue 0 */
        since?: number;
      };
      item: OrdersOrder;
    };
  };
  views: {
    /** Requires `orders.read`. */
    "orders.summary": {
      args: {
        day: ISODate;
      };
      value: Record<string, (Colour | null)[]>;
    };
  };
  topics: {
    kitchen: Record<string, unknown>;
    /**
     * Requires `rooms.read:{*}`.
     * Keeps the latest 100 pushes for 60 s.
     * Tells who else is there.
     */
    [topic: `room.${string}`]: Record<string, unknown>;
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

export interface Circle {
  type: "circle";
  radius: number;
}

/** What it looks like. */
export type Colour = "red" | "dark blue";

export interface Disc {
  type: "disc";
  radius: number;
  colour: Colour | null;
}

export interface DiscInput {
  type: "disc";
  radius: number;
  /** @defaultValue null */
  colour?: Colour | null;
}

export type Empty = Record<string, never>;

/** It has no defaults, but what is in it does. */
export interface Forest {
  trees: Record<string, Tree>;
}

/** It has no defaults, but what is in it does. */
export interface ForestInput {
  trees: Record<string, TreeInput>;
}

/**
 * - 1: LOW
 * - 2: HIGH
 */
export type Level = 1 | 2;

export interface Loud {
  loud?: boolean;
  times: number;
}

/**
 * What somebody wants.
 *
 * \@remarks is no tag, and *\/ no end.
 */
export interface OrdersOrder {
  /**
   * Which thing.
   * @pattern ^[a-z]*\/[0-9]$
   * @minLength 1
   */
  sku: string;
  /**
   * @example 3
   * @minimum 1
   * @maximum 100
   */
  count: number;
  at: ISODateTime | null;
}

/**
 * What somebody wants.
 *
 * \@remarks is no tag, and *\/ no end.
 */
export interface OrdersOrderInput {
  /**
   * Which thing.
   * @pattern ^[a-z]*\/[0-9]$
   * @minLength 1
   */
  sku: string;
  /**
   * @example 3
   * @minimum 1
   * @maximum 100
   * @defaultValue 1
   */
  count?: number;
  /** @defaultValue null */
  at?: ISODateTime | null;
}

/** It has a name that TypeScript needs. */
export interface OrdersRecord {
  number: number;
}

export type Packed = [7, number, Packed | null];

export type PackedInput = [7, number, (PackedInput | null)?];

export interface PageOrder {
  items: OrdersOrder[];
  next?: number;
}

export type Pair = [
  left: number,
  /** @minimum 1 */
  right: number,
];

export type PairInput = [
  left: number,
  /**
   * @minimum 1
   * @defaultValue 3
   */
  right?: number,
];

export interface Point {
  x: number;
  y: number;
}

export interface PointInput {
  x: number;
  /** @defaultValue 0.0 */
  y?: number;
}

/** In which order things stand. */
export interface ShelfOrder {
  names: string[];
}

export interface Sparse {
  /**
   * At most 3 bytes.
   * @defaultValue ""
   */
  "of-bytes"?: Base64;
  /** @defaultValue {} */
  stock?: Partial<Record<Colour, number>>;
}

export interface Square {
  "kind of it": "square";
  side: number;
}

/** What is ordered from elsewhere: another than that of a customer. */
export interface StockOrder {
  pallets: number;
}

export interface Tree {
  name: string;
  children: Tree[];
}

export interface TreeInput {
  name: string;
  /** @defaultValue [] */
  children?: TreeInput[];
}

/** Bytes, in base64 with its padding (RFC 4648). */
export type Base64 = string;

/** A decimal number with all of its digits: "12.50". */
export type Decimal = string;

/** A day: "2026-11-24". */
export type ISODate = string;

/** A moment (RFC 3339): "2026-11-24T06:00:00Z". */
export type ISODateTime = string;

/** A length of time (ISO 8601): "PT90S". */
export type ISODuration = string;

/** A time of day: "06:00:00". */
export type ISOTime = string;

/** A UUID (RFC 9562): "6f2c1f0e-0c3b-4b58-9c0b-8f6a6f0f2a51". */
export type UUID = string;

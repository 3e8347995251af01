// A client that is typed by what `plugsock types` writes, as small as can be.
interface Shapes {
  calls: Record<string, { args: unknown; result: unknown }>;
  streams: Record<string, { args: unknown; item: unknown }>;
  views: Record<string, { args: unknown; value: unknown }>;
  topics: Record<string, Record<string, unknown>>;
}

type Args<A> = Record<string, never> extends A ? [args?: A] : undefined extends A ? [args?: A] : [args: A];

export interface Client<P extends Shapes> {
  call<E extends keyof P["calls"]>(event: E, ...args: Args<P["calls"][E]["args"]>): Promise<P["calls"][E]["result"]>;
  stream<E extends keyof P["streams"]>(
    event: E,
    ...args: Args<P["streams"][E]["args"]>
  ): AsyncIterable<P["streams"][E]["item"]>;
  view<E extends keyof P["views"]>(event: E, ...args: Args<P["views"][E]["args"]>): { value?: P["views"][E]["value"] };
  topic<T extends keyof P["topics"]>(
    topic: T,
  ): { on<E extends keyof P["topics"][T]>(event: E, hear: (data: P["topics"][T][E]) => void): void };
}

"""Runs plugs: binds a payload, runs the function, encodes the answer.

    Engine ──────▶ Keeper     watches, looks when told to, announces, commits, retires  (keeper, outdated)
        │            │
        │            ▼
        │          Table      (event, revision) -> Served: all that a call needs      (table)
        ▼            ▲
      Runner ────────┘        starts, cancels and ends calls                          (run, begun)
        │
        ├── bind              why a payload does not fit: `bad_payload`               (bind, repeats, agreement)
        ├── eager             first step of a coroutine at once, a task if it waits   (eager, eager_311)
        ├── threads           plain functions; their words come back through Outbox   (threads, outbox)
        ├── stream            generators of both kinds, asked as far as credit goes   (stream)
        ├── mocked            what is answered in place of a plug                     (mocked)
        ├── words             Socket and Server as a plug holds them                  (words, checks, peers, mouth)
        └── outcome           result -> payload, exception -> fault                   (outcome, encode, faults)
              └── views       a view's run: named arguments, what it read, a patch    (views, patch)

An Engine is a worker, in a process of its own or in the gateway's.
All of it lives on one event loop, except what `threads` and the plain half of `stream` say they do in a thread.
A call is answered once through `rpc.link.Sink`, or not at all after its `cancel`.
"""

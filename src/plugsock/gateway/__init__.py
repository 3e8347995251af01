"""Everything that owns sockets: it routes calls by what a worker announced, and never imports a plug.

From outside in: `listener` accepts and sweeps (`limits`); `opening` shakes hands (`head`, `access`, `handshake`, `http`)
and gives way to a `connection`, which reads frames, writes what its `outbox` holds once a `turn`, watches over signs of
`life`, and talks to a `conversation`; `linger` waits for the other side to hang up. None of these knows what the
messages say. The server's conversation is a `peer` of the `gateway`, with whom all the other modules deal. `pages` is
what browsers are shown.
"""

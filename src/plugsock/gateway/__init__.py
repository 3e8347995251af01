"""Everything that owns sockets: it routes calls by what a worker announced, and never imports a plug.

From outside in: `listener` accepts; `opening` shakes hands (`head`, `access`, `handshake`, `http`) and is then replaced
by a `connection`, which reads frames, writes what its `outbox` holds, and talks to a `conversation`; `linger` waits for
the other side to hang up. None of these knows what the messages say.
"""

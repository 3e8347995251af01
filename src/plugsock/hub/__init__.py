"""Who is here and what they may do: peers that hold a socket open, sessions that may be taken up again, and rights.

And what they are in: topics (`membership`), by `rules`, with who is there (`presence`) and what was missed (`history`).
"""

"""Who is here and what they may do: peers that hold a socket open, sessions that may be taken up again, and rights."""

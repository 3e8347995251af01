"""Who is here: the peers that hold a socket open, and the sessions of those that may come back."""

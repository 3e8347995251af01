"""The command line: one file a command, and what they share.

`main` finds the command; `config` and `values` read the settings that `options` puts on it; `style` prints;
`admin` talks to a server that runs on this machine.
"""

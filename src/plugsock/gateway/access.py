"""Which pages may use this server: Host and Origin of every request are checked, unless they are listed.

A web page from anywhere can make its visitor's browser connect to a server on that visitor's own machine, directly
(the browser then sends the page's Origin) or by a name that it points at 127.0.0.1 (then the Host is not ours).
"""

import re
from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address, IPv6Address
from typing import Final

from plugsock.gateway.http import Refusal

ANY: Final = "*"
"""As an allowed origin: every page may connect."""

_AUTHORITY: Final = r"(\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9._-]{1,253})(?::([0-9]{1,5}))?"
_HOST: Final = re.compile(_AUTHORITY)
_ORIGIN: Final = re.compile(rf"(https?)://{_AUTHORITY}")
_DEFAULT_PORTS: Final = {"http": "80", "https": "443"}


class Access:
    """The rules of one listener."""

    def __init__(self, host: str, *, secure: bool, allow_host: Iterable[str], allow_origin: Iterable[str]) -> None:
        """Allow the server's own `host`, addresses and localhost, and what is listed.

        Args:
            host: What the server was told to listen on.
            secure: Does it speak TLS? An origin has a scheme.
            allow_host: Further names, with or without a port.
            allow_origin: Further origins, as browsers write them (`https://example.org`), or `ANY`.
        """
        self._names = {"localhost", host.lower(), *(name.lower() for name in allow_host)}
        self._origins = {origin.lower().rstrip("/") for origin in allow_origin}
        self._scheme = "https" if secure else "http"

    def check(self, hosts: Sequence[str], origins: Sequence[str]) -> None:
        """Check the Host and Origin fields of a request; no Origin at all is no browser.

        Raises:
            Refusal: 400 for a malformed Host, 421 for a foreign one, 403 for an Origin that may not connect.
        """
        match = _HOST.fullmatch(hosts[0]) if len(hosts) == 1 else None
        if match is None:
            raise Refusal(400, "Exactly one well-formed Host is required.")
        name, port = match.groups()
        if not self._is_ours(name.lower(), hosts[0].lower()):
            raise Refusal(421, "This server does not go by that name (see --allow-host).")
        if origins and not (len(origins) == 1 and self._may_use(origins[0].lower(), name.lower(), port)):
            raise Refusal(403, "Pages from this origin may not connect (see --allow-origin).")

    def _is_ours(self, name: str, host: str) -> bool:
        return name in self._names or host in self._names or _is_address(name)

    def _may_use(self, origin: str, name: str, port: str | None) -> bool:
        if origin in self._origins or ANY in self._origins:
            return True
        match = _ORIGIN.fullmatch(origin)
        if match is None:
            return False
        default = _DEFAULT_PORTS[self._scheme]
        return match[1] == self._scheme and (match[2], match[3] or default) == (name, port or default)


def _is_address(name: str) -> bool:
    try:
        if name.startswith("["):
            IPv6Address(name[1:-1])
        else:
            IPv4Address(name)
    except ValueError:
        return False
    return True

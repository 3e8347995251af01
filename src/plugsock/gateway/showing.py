"""What somebody who connects shows of themselves: in the request that opened the socket, and in what they say first."""

from plugsock.gateway.handshake import Request
from plugsock.model import Hello


def shown_by(request: Request, address: str, token: str | None) -> Hello:
    """Put together what the authenticator gets.

    Args:
        request: What opened the socket.
        address: Of the other side.
        token: What `hello` or `token` said; the Authorization header's is taken where they said none.
    """
    headers = request.headers
    # A client that is no browser sends what cookies it likes; only a page's are the user's, and its origin is checked.
    cookies = {} if request.origin is None else _cookies(headers.get("cookie", ""))
    return Hello(token or _bearer(headers.get("authorization", "")), headers, cookies, address, request.origin)


def _bearer(authorization: str) -> str | None:
    scheme, _, token = authorization.partition(" ")
    return (token.strip() or None) if scheme.lower() == "bearer" else None


def _cookies(field: str) -> dict[str, str]:
    """Take a Cookie field apart as browsers put it together; `http.cookies` gives up at the first one it dislikes.

    Of two with one name the first is taken, which browsers put there because it is for the longer path.
    """
    cookies: dict[str, str] = {}
    for pair in field.split(";"):
        name, equals, value = pair.partition("=")
        if equals:
            cookies.setdefault(name.strip(), _unquoted(value.strip()))
    return cookies


def _unquoted(value: str) -> str:
    return value[1:-1] if len(value) > 1 and value[0] == value[-1] == '"' else value

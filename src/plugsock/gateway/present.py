"""Who is here, for `plugsock who`."""

from collections import Counter
from collections.abc import Iterable

from plugsock.gateway.gateway import Gateway
from plugsock.gateway.peer import Peer
from plugsock.hub.grants import Grants, Kept
from plugsock.model import Reach
from plugsock.rpc.admin import Present, UserRow


def present(gateway: Gateway) -> Present:
    """Everybody who is here or may come back, and everybody who was granted or denied something."""
    here, grants = gateway.identities.who(), gateway.identities.grants
    users = sorted({*here, *grants.users()})
    rows = [_row(user, here.get(user, []), grants) for user in users]
    nobody = [peer for peer in gateway.peers if peer.user is None]
    built_for = Counter(peer.shapes for peer in gateway.peers if peer.shapes)
    return Present(users=rows, anonymous=len(nobody), anonymous_shapes=_shapes(nobody), shapes=dict(built_for))


def _row(user: str, peers: list[Peer], grants: Grants[Reach]) -> UserRow:
    known = [peer.user for peer in peers if peer.user is not None]
    kept = grants.users().get(user, Kept())
    rights = grants.rights(user, {each for one in known for each in one.permissions}, 0)
    return UserRow(
        user=user,
        sockets=sum(peer.request is not None for peer in peers),
        permissions=rights.listing(),
        expires=min((one.expires for one in known if one.expires is not None), default=None),
        granted=list(kept.granted),
        denied=list(kept.denied),
        shapes=_shapes(peer for peer in peers if peer.request is not None),
    )


def _shapes(peers: Iterable[Peer]) -> list[str]:
    return sorted({peer.shapes for peer in peers if peer.shapes})

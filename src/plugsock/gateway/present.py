"""Who is here, for `plugsock who`."""

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
    return Present(users=rows, anonymous=sum(peer.user is None for peer in gateway.peers))


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
    )

"""Where a name leads, and whether a request that a stranger asks for may go there: never into a private network."""

import ipaddress
import socket

from popcon.errors import ForbiddenAddress, Unavailable

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

# Addresses that a gateway translates: the last four bytes are the true one.
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
# All of IPv6 that was ever given out for the public internet.
_UNICAST = ipaddress.IPv6Network("2000::/3")


def resolve(host: str, port: int, *, private: bool = False) -> tuple[str, ...]:
    """The addresses of a host, in the order in which to try them; `private` ones only if they are allowed.

    Raises ForbiddenAddress when there are no others, and Unavailable when nobody knows the name. It waits for DNS.
    """
    try:
        answers = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise Unavailable(f"nobody knows the host {host!r}: {error}") from error
    found = tuple(dict.fromkeys(str(answer[4][0]) for answer in answers))
    allowed = tuple(each for each in found if private or is_public(each))
    if not allowed:
        raise ForbiddenAddress(
            f"{host} is not on the public internet: "  # nor is said where: a stranger could read private DNS
            "whoever runs popcon may allow it with POPCON_WEBHOOK_PRIVATE=true"
        )
    return allowed


def is_public(address: str) -> bool:
    """Whether an address lies on the public internet, also where it is wrapped in another one."""
    found = _unwrapped(ipaddress.ip_address(address))
    return found.is_global and not found.is_multicast and (found.version == 4 or found in _UNICAST)


def _unwrapped(address: Address) -> Address:
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in _NAT64:
        return ipaddress.IPv4Address(address.packed[-4:])
    return address.ipv4_mapped or address.sixtofour or address

"""`popcon serve`: studio and API in one process, on the servers that the settings name or on the embedded stack."""

import socket
from collections.abc import Callable

import uvicorn

from popcon.settings import Settings
from popcon.storage import Storage
from starter.api.access import LOOPBACK
from starter.api.app import create_app
from starter.api_keys import any_key
from starter.errors import UnusableArguments
from starter.studio import files
from starter.workplace import workplace

# Event streams end only when their listeners leave: a stopping server does not wait for them for long.
GRACE_SECONDS = 3


def serve(settings: Settings, host: str, port: int, say: Callable[[str], None]) -> None:
    """Serve until Ctrl-C or SIGTERM.

    Raises UnusableArguments where nobody can listen, or where anybody could come in without a key.
    """
    _refuse_taken(host, port)
    loopback = host in LOOPBACK
    with workplace(settings, say) as placed:
        storage = Storage(placed)
        storage.ensure_bucket()
        if not any_key(storage):
            if not loopback:
                raise UnusableArguments(
                    f"without API keys everybody who reaches {host} would come in: make one with "
                    "`popcon keys create OWNER`, or serve on this machine alone, without --host"
                )
            say(f"no API keys: serving this machine alone, as {placed.owner} (see `popcon keys create`)")
        if not files.complete():
            say("htmx is missing, so the studio's pages do not move: run `make setup` where popcon was built")
        app = create_app(placed, loopback=loopback)
        uvicorn.run(
            app,
            host=host,
            port=port,
            log_level=placed.log_level.lower(),
            server_header=False,
            timeout_graceful_shutdown=GRACE_SECONDS,
        )


def _refuse_taken(host: str, port: int) -> None:
    """Before anything starts for it: the web server would tell it last, in lines of its own."""
    try:
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as listener:
            # As the web server does it: what a server that has just ended leaves behind is no obstacle.
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((host, port))
    except OSError as error:
        raise UnusableArguments(
            f"cannot listen at {host}, port {port} ({error.strerror}): choose others with --host and --port"
        ) from error

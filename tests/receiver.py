"""Somebody's server that webhooks are posted to: real HTTP on this machine, which notes what it is sent."""

import base64
import hashlib
import hmac
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

SECRET = f"whsec_{base64.b64encode(b'what a receiver and popcon share').decode()}"
FIVE_MINUTES = 300


@dataclass
class Post:
    """What was posted."""

    path: str
    headers: dict[str, str]
    body: bytes

    def is_signed(self) -> bool:
        """Whether it holds by the rules of Standard Webhooks, as a receiver has to check them."""
        told = [self.headers[f"webhook-{name}"] for name in ("id", "timestamp", "signature")]
        key = base64.b64decode(SECRET.removeprefix("whsec_"))
        digest = hmac.digest(key, f"{told[0]}.{told[1]}.".encode() + self.body, hashlib.sha256)
        fresh = abs(time.time() - int(told[1])) < FIVE_MINUTES
        return fresh and f"v1,{base64.b64encode(digest).decode()}" in told[2].split(" ")


@dataclass
class Receiver:
    """Answers with `statuses` in turn, the last one again and again; `drip` seconds before each header line."""

    statuses: list[int] = field(default_factory=lambda: [204])
    drip: float = 0.0
    port: int = 0
    posts: list[Post] = field(default_factory=list)

    def url(self, host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self.port}/popcon?for=me"


@contextmanager
def receiving(receiver: Receiver) -> Iterator[Receiver]:
    """The server, until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            receiver.posts.append(Post(self.path, headers, body))
            status = receiver.statuses[min(len(receiver.posts), len(receiver.statuses)) - 1]
            self.wfile.write(f"HTTP/1.1 {status} as told\r\nLocation: /elsewhere\r\n".encode())
            while receiver.drip and len(receiver.posts) == 1:
                time.sleep(receiver.drip)
                try:
                    self.wfile.write(b"X-More: to come\r\n")
                except OSError:  # who asked has hung up
                    return
            self.wfile.write(b"Content-Length: 1000000000\r\n\r\n")  # a body that nobody should wait for

        def log_message(self, *_: Any) -> None:
            """Tests read `posts`."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    receiver.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        thread.join()
        server.server_close()

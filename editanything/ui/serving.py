"""How the web editor is served: where, for whom, within which limits."""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from editanything.errors import InputError

LOOPBACK = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True)
class ServeSettings:
    """Settings of the server.

    Attributes:
        host: address to listen on; others than 127.0.0.1 can be reached from elsewhere.
        port: None: the first free one from 7860.
        users: (name, password) of those who may enter; none: everybody who can reach it.
        allowed_hosts: names that browsers may call the server by, beside `host` and the loopback's
            names; with a host other than the loopback's none means any. A web page elsewhere that
            gives its own name this server's address is so refused.
        max_upload_mb: of one file.
        max_waiting: jobs that may wait for their turn, of all users together.
        mcp: whether the endpoints are offered as MCP tools, at /gradio_api/mcp/.
        training: whether there is a Train tab; it reads folders of this machine. None: where only
            this machine can reach the server.
        open_browser: open the page in the user's browser.

    Raises:
        InputError: values out of range, or MCP without its package.
    """

    host: str = "127.0.0.1"
    port: int | None = None
    users: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    allowed_hosts: tuple[str, ...] = ()
    max_upload_mb: int = 1000
    max_waiting: int = 64
    mcp: bool = False
    training: bool | None = None
    open_browser: bool = False

    def __post_init__(self) -> None:
        for key in ("max_upload_mb", "max_waiting"):
            if getattr(self, key) < 1:
                raise InputError(f"{key} is 1 or more; got {getattr(self, key)}.")
        if self.mcp and find_spec("mcp") is None:
            raise InputError("MCP needs its package: pip install 'mdt-edit[mcp]'.")
        if self.mcp and self.users:
            # The tools reach the endpoints through the server's own door, which has no password.
            raise InputError("MCP tools cannot log in: give --mcp or --auth, not both.")

    @property
    def at_home(self) -> bool:
        """Whether only this machine can reach the server."""
        return self.host in LOOPBACK

    @property
    def trains(self) -> bool:
        """Whether there is a Train tab."""
        return self.at_home if self.training is None else self.training

    @property
    def hosts(self) -> frozenset[str] | None:
        """The names that requests may ask for; None: any."""
        if not self.at_home and not self.allowed_hosts:
            return None
        return frozenset(name.lower() for name in (*LOOPBACK, self.host, *self.allowed_hosts))


def read_users(path: Path) -> tuple[tuple[str, str], ...]:
    """Users of a file of NAME:PASSWORD lines; empty lines and those with # are passed over.

    Raises:
        InputError: a file that cannot be read, without users, or a line that is none.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"The users in {path} cannot be read: {error}.") from None
    users = []
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.startswith("#"):
            continue
        name, separator, password = line.strip().partition(":")
        if not (name and separator and password):
            raise InputError(f"{path}, line {number}: write NAME:PASSWORD.")
        users.append((name, password))
    if not users:
        raise InputError(f"{path} names nobody: write NAME:PASSWORD, one a line.")
    return tuple(users)


class OnlyHosts:
    """ASGI middleware: answers only to requests that call the server by one of its names."""

    def __init__(self, app: Any, hosts: frozenset[str]) -> None:
        self.app, self.hosts = app, hosts

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer 421 to requests for another host, pass on all others."""
        if scope["type"] == "http" and _host_of(scope) not in self.hosts:
            said = b"This server does not answer to that name: start it with --allow-host NAME."
            head = [(b"content-type", b"text/plain")]
            await send({"type": "http.response.start", "status": 421, "headers": head})
            await send({"type": "http.response.body", "body": said})
            return
        await self.app(scope, receive, send)


def _host_of(scope: Any) -> str:
    """The name in a request's Host header, without its port."""
    text = next((value for key, value in scope["headers"] if key == b"host"), b"")
    name = str(text.decode("latin-1").lower())
    if name.startswith("["):
        return name[1:].partition("]")[0]
    return name.rpartition(":")[0] if ":" in name else name

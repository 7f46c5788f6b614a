"""The explorer as an app in the browser, served on this machine only."""

from __future__ import annotations

import contextlib
import socket
import tempfile
import webbrowser
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from errsrc.explore.panels import file_text
from errsrc.extras import require

HOST = "127.0.0.1"
"""The address of the app, which only programs on this machine reach."""


@dataclass(frozen=True)
class Served:
    """What the app shows at first, and how it words errors.

    Attributes
    ----------
    file : Path or None
        A table of runs; None for the example.
    law : str
        The law that is chosen at first.
    columns : dict of str to str
        Columns of the table, as for `errsrc.fit_csv`.
    sentence : callable
        Function that returns one sentence about an exception.
    where : sequence of str
        Conditions that the rows of the file must meet.
    budgets : sequence of float
        Budgets that are added to the positions of the slider.
    """

    file: Path | None = None
    law: str = "chinchilla"
    columns: Mapping[str, str] = field(default_factory=dict)
    sentence: Callable[[Exception], str] = str
    where: Sequence[str] = ()
    budgets: Sequence[float] = ()


@dataclass(frozen=True)
class SameOrigin:
    """An ASGI app that refuses requests from pages of other sites, and passes all others to a given app.

    A browser lets each page connect to 127.0.0.1, and names the site of the page in the header Origin.
    marimo accepts all origins: without this class, any open page could read the user's table.

    Attributes
    ----------
    app : callable
        The ASGI app that answers.
    """

    app: Callable[..., Awaitable[None]]

    async def __call__(
        self, scope: Mapping[str, Any], receive: Callable[..., Any], send: Callable[..., Any]
    ) -> None:
        """Answer a request as ASGI defines it: status 403 if the origin is not the host of the request."""
        headers = dict(scope.get("headers", ()))
        origin = headers.get(b"origin")
        if origin is None or origin.partition(b"://")[2] == headers.get(b"host"):
            await self.app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})  # before it is accepted: status 403
        else:
            await send({"type": "http.response.start", "status": 403, "headers": []})
            await send({"type": "http.response.body", "body": b"Pages of other sites are refused."})


_served = Served()


def served() -> Served:
    """Return the options that `serve` was given; the app's notebook, in the same process, calls this."""
    return _served


def notebook() -> str:
    """Return the app's marimo notebook as Python code."""
    return file_text("explore.py.txt")


def serve(options: Served, port: int = 0, *, open_browser: bool = True) -> None:
    """Serve the app until the user stops it.

    Parameters
    ----------
    options : Served
        What the app shows.
    port : int
        The port; 0 for a free one.
    open_browser : bool
        Whether to open the app in the user's browser.

    Raises
    ------
    MissingPackage
        If marimo is not installed.
    OSError
        If the port is in use.
    """
    global _served
    require("errsrc explore", "marimo")
    import marimo
    import uvicorn
    from starlette.middleware.trustedhost import TrustedHostMiddleware

    _served = options
    with socket.socket() as listening, tempfile.TemporaryDirectory() as folder:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind((HOST, port))
        except OSError as error:
            raise OSError(f"port {port} of {HOST} cannot be used: {error.strerror}.") from None
        path = Path(folder) / "explore.py"
        path.write_text(notebook(), encoding="utf-8")
        app = marimo.create_asgi_app(quiet=True).with_app(path="", root=str(path)).build()
        # refuses requests whose host is a foreign name that a browser resolves to this machine
        guarded = TrustedHostMiddleware(SameOrigin(app), allowed_hosts=[HOST, "localhost"])
        address = f"http://{HOST}:{listening.getsockname()[1]}"
        print(f"{address} (Ctrl-C stops the app)", flush=True)
        if open_browser:
            webbrowser.open(address)
        server = uvicorn.Server(uvicorn.Config(guarded, log_level="warning", timeout_graceful_shutdown=1))
        with contextlib.suppress(KeyboardInterrupt):
            server.run(sockets=[listening])

"""The app's server: which requests it refuses, and data that may stand inside a page."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from errsrc.explore.pages import _embedded
from errsrc.explore.server import SameOrigin

OWN = b"127.0.0.1:2718"


@pytest.mark.parametrize("kind", ["http", "websocket"])
@pytest.mark.parametrize(
    ("origin", "answers"),
    [
        (None, True),
        (b"http://" + OWN, True),
        (b"http://127.0.0.1:3000", False),  # another program on this machine
        (b"http://evil.example", False),
        (b"null", False),  # a page from a file
    ],
)
def test_pages_of_other_sites_are_refused(kind: str, origin: bytes | None, answers: bool) -> None:
    sent: list[dict[str, Any]] = []

    async def app(*args: Any) -> None:
        sent.append({"type": "answered"})

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    headers = [(b"host", OWN), *([] if origin is None else [(b"origin", origin)])]
    asyncio.run(SameOrigin(app)({"type": kind, "headers": headers}, app, send))
    refused = {"http": ["http.response.start", "http.response.body"], "websocket": ["websocket.close"]}
    assert [one["type"] for one in sent] == (["answered"] if answers else refused[kind])
    assert answers or sent[0].get("status", 403) == 403


@pytest.mark.parametrize("text", ["</script>", "<!--<script>"])
def test_data_cannot_end_or_open_an_element_of_the_page(text: str) -> None:
    shown = _embedded({"text": text})
    assert text[:4] not in shown
    assert json.loads(shown) == {"text": text}

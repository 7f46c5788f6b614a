"""A headless Chromium, driven over its DevTools protocol."""

from __future__ import annotations

import base64
import contextlib
import itertools
import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
OPTIONS = "--headless --no-sandbox --disable-gpu --disable-background-networking --no-first-run"
SECONDS = 120


class Browser:
    """A page in a browser; all messages of its console are kept."""

    def __init__(self, socket: Any) -> None:
        self.socket, self.numbers, self.console = socket, itertools.count(1), list[str]()
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "DOM"):
            self.send(f"{domain}.enable")

    def send(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Send a command, and return its result."""
        number = next(self.numbers)
        message = {"id": number, "method": method, "params": parameters}
        if session := getattr(self, "session", None):
            message["sessionId"] = session
        self.socket.send(json.dumps(message))
        while True:
            got = json.loads(self.socket.recv(timeout=SECONDS))
            if got.get("id") == number:
                assert "error" not in got, got
                return dict(got["result"])
            self._note(got)

    def _note(self, got: dict[str, Any]) -> None:
        what, about = got.get("method"), got.get("params", {})
        if what == "Runtime.exceptionThrown":
            self.console.append(json.dumps(about["exceptionDetails"]))
        elif what == "Log.entryAdded" and about["entry"]["level"] == "error":
            self.console.append(about["entry"]["text"] + " " + about["entry"].get("url", ""))

    def open(self, address: str, width: int = 1200, height: int = 900) -> None:
        """Open an address in a window of a width."""
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
        self.send("Emulation.setDeviceMetricsOverride", **metrics)
        self.send("Page.navigate", url=address)
        self.wait(f"location.href.startsWith({json.dumps(address)}) && document.readyState == 'complete'")

    def value(self, code: str) -> Any:
        """Return the value of a JavaScript expression."""
        got = self.send("Runtime.evaluate", expression=code, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in got, got
        return got["result"].get("value")

    def wait(self, code: str) -> None:
        """Wait until a JavaScript expression is true."""
        until = time.monotonic() + SECONDS
        while not self.value(f"!!({code})"):
            assert time.monotonic() < until, (code, self.value("document.body.innerText"), self.console)
            time.sleep(0.1)

    def press(self, key: str) -> None:
        """Press a key, such as "ArrowRight", where the focus is."""
        for kind in ("keyDown", "keyUp"):
            self.send("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=KEYS[key])

    def screenshot(self, path: Path) -> None:
        """Write a picture of the whole page."""
        got = self.send("Page.captureScreenshot", captureBeyondViewport=True)
        path.write_bytes(base64.b64decode(got["data"]))


KEYS = {"ArrowLeft": 37, "ArrowRight": 39, "End": 35, "Home": 36}


@contextlib.contextmanager
def chromium(folder: Path) -> Iterator[Browser]:
    """Start a browser with a profile in a folder, and end it at last."""
    client = pytest.importorskip("websockets.sync.client")
    command = [str(CHROMIUM), *OPTIONS.split(), "--remote-debugging-port=0", f"--user-data-dir={folder}"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        with client.connect(_address(folder / "DevToolsActivePort"), max_size=None) as socket:
            yield Browser(socket)
    finally:
        process.terminate()
        process.wait(30)


def _address(path: Path) -> str:
    """Return the address that a browser writes to a file, as a port and a path in two lines."""
    until = time.monotonic() + SECONDS
    while not (path.exists() and path.read_text().count("\n")):
        assert time.monotonic() < until, "the browser does not start"
        time.sleep(0.1)
    port, _, rest = path.read_text().partition("\n")
    return f"ws://127.0.0.1:{port}{rest.strip()}"

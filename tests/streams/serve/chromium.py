"""A real browser for the tests of the page: headless Chromium, controlled over its DevTools protocol."""

from __future__ import annotations

import asyncio
import contextlib
import json
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import pytest
from aiohttp import ClientSession
from websockets.asyncio.client import ClientConnection, connect

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
ARGUMENTS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--force-color-profile=srgb",
    "--remote-debugging-port=0",
    "about:blank",
)


@contextmanager
def chromium() -> Iterator[str]:
    """Run a browser with a new profile; yield ``host:port`` of its DevTools."""
    binary = next(filter(None, map(shutil.which, NAMES)), None)
    if binary is None:
        pytest.skip("needs Chromium")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        process = subprocess.Popen(
            [binary, f"--user-data-dir={profile}", *ARGUMENTS],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            assert process.stderr is not None
            for line in process.stderr:
                if line.startswith("DevTools listening on ws://"):
                    yield line.removeprefix("DevTools listening on ws://").partition("/")[0]
                    break
            else:
                pytest.skip("Chromium does not start here")
        finally:
            process.terminate()
            process.wait(10)


class Page:
    """One tab in a context of its own, without the cookies, storage and cache of other tests."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self.errors: list[str] = []
        self.requested: list[str] = []

    async def call(self, method: str, **parameters: Any) -> Any:
        """Call a method of the DevTools protocol."""
        number = len(self._waiting) + 1
        self._waiting[number] = asyncio.get_running_loop().create_future()
        await self._socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
        async with asyncio.timeout(20):
            return await self._waiting[number]

    async def listen(self) -> None:
        async for text in self._socket:
            message = json.loads(text)
            match message.get("method"):
                case None:
                    answer = self._waiting[message["id"]]
                    if "error" in message:
                        answer.set_exception(RuntimeError(message["error"]["message"]))
                    else:
                        answer.set_result(message["result"])
                case "Runtime.exceptionThrown":
                    details = message["params"]["exceptionDetails"]
                    self.errors.append(details.get("exception", {}).get("description") or details["text"])
                case "Log.entryAdded" if message["params"]["entry"]["level"] == "error":
                    self.errors.append(message["params"]["entry"]["text"])
                case "Network.requestWillBeSent":
                    self.requested.append(message["params"]["request"]["url"])

    async def open(self, url: str) -> None:
        await self.call("Page.navigate", url=url)

    async def run(self, expression: str) -> Any:
        """Return the value of a JavaScript expression. Await a promise."""
        answer = await self.call(
            "Runtime.evaluate",
            expression=expression,
            awaitPromise=True,
            returnByValue=True,
            allowUnsafeEvalBlockedByCSP=False,
        )
        if "exceptionDetails" in answer:
            raise AssertionError(f"{expression}: {answer['exceptionDetails']['exception'].get('description')}")
        return answer["result"].get("value")

    async def until(self, expression: str, seconds: float = 8) -> None:
        """Wait until the expression is true."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while not await self._try(f"Boolean({expression})"):
                    await asyncio.sleep(0.04)
                return
        state = await self.run("document.body.innerText.slice(0, 800)")
        pytest.fail(f"never true: {expression}\nerrors: {self.errors}\npage: {state}")

    async def press(self, key: str) -> None:
        code = {"/": "Slash", "Escape": "Escape", "Enter": "Enter", "Tab": "Tab"}.get(key, f"Key{key.upper()}")
        text = {"Enter": "\r"}.get(key, key if len(key) == 1 else None)
        virtual = {"Enter": 13, "Escape": 27, "Tab": 9}.get(key, ord(key[0].upper()))
        event: dict[str, Any] = {"key": key, "code": code, "windowsVirtualKeyCode": virtual}
        await self.call("Input.dispatchKeyEvent", type="keyDown", **event, **({"text": text} if text else {}))
        await self.call("Input.dispatchKeyEvent", type="keyUp", **event)

    async def size(self, width: int, height: int) -> None:
        mobile = width < 700
        await self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=mobile
        )

    async def prefer(self, **features: str) -> None:
        """Set media features, such as prefers_color_scheme="dark"."""
        wanted = [{"name": name.replace("_", "-"), "value": value} for name, value in features.items()]
        await self.call("Emulation.setEmulatedMedia", features=wanted)

    async def _try(self, expression: str) -> Any:
        try:
            return await self.run(expression)
        except AssertionError:
            return None  # an element of the expression is not there yet


@asynccontextmanager
async def tab(devtools: str) -> AsyncIterator[Page]:
    """Open a tab while the block runs."""
    async with ClientSession() as http, http.get(f"http://{devtools}/json/version") as response:
        browser = (await response.json(content_type=None))["webSocketDebuggerUrl"]
    async with connect(browser, max_size=None) as control:
        owner = Page(control)
        owning = asyncio.create_task(owner.listen())
        context = (await owner.call("Target.createBrowserContext"))["browserContextId"]
        target = (await owner.call("Target.createTarget", url="about:blank", browserContextId=context))["targetId"]
        async with connect(f"ws://{devtools}/devtools/page/{target}", max_size=None) as socket:
            page = Page(socket)
            listening = asyncio.create_task(page.listen())
            for domain in ("Page", "Runtime", "Log", "Network"):
                await page.call(f"{domain}.enable")
            await page.size(1440, 900)
            yield page
            await owner.call("Target.disposeBrowserContext", browserContextId=context)
            listening.cancel()
            owning.cancel()

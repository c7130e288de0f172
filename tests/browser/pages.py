"""Pages in a headless Chromium, and what is the matter with them."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ARGUMENTS = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking")
NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
SMALLEST_FONT = 12.0
"""Pixels, as shown: text in pictures that are scaled counts as it is scaled."""
LEAST_CONTRAST = 4.5
"""WCAG 2, level AA."""
PROBLEMS = (Path(__file__).parent / "problems.js").read_text(encoding="utf-8")


def find_browser() -> tuple[Path, dict[str, str]] | None:
    """Return the browser and its environment: XNORFLOW_BROWSER, else that of ``make browser``, else one on PATH."""
    environment = dict(os.environ)
    own = Path(sys.prefix) / "browser"
    chosen = os.environ.get("XNORFLOW_BROWSER")
    if not chosen and (own / "package.txt").is_file():
        environment |= {"LD_LIBRARY_PATH": f"{own / 'lib'}", "FONTCONFIG_PATH": f"{own}"}
        return own / "chromium", environment
    found = chosen or next(filter(None, map(shutil.which, NAMES)), None)
    return (Path(found), environment) if found else None


class Page:
    """A page that is open; ``driver`` is playwright's.

    Args:
        driver: of a page that nothing was loaded into.
    """

    def __init__(self, driver: Any) -> None:
        self.driver = driver
        self.complaints: list[str] = []
        self.requests: list[str] = []
        driver.on("console", lambda message: self._complain(message.type, message.text))
        driver.on("pageerror", lambda error: self.complaints.append(f"error: {error}"))
        driver.on("requestfailed", lambda request: self.complaints.append(f"failed: {request.url}"))
        driver.on("request", lambda request: self.requests.append(request.url))

    def _complain(self, kind: str, text: str) -> None:
        if kind in ("error", "warning"):
            self.complaints.append(f"{kind}: {text}")

    def wait(self, condition: str, seconds: float = 20.0) -> None:
        """Wait until a condition in JavaScript holds; playwright's own wait would break the rule against eval."""
        end = time.monotonic() + seconds
        while not self.driver.evaluate(f"Boolean({condition})"):
            if time.monotonic() > end:
                raise TimeoutError(condition)
            self.driver.wait_for_timeout(20)

    def problems(self) -> list[str]:
        """Return what is wrong with what is shown: overflow, small text, faint text, empty pictures."""
        return list(self.driver.evaluate(PROBLEMS, {"font": SMALLEST_FONT, "contrast": LEAST_CONTRAST}))

    def overflow(self) -> int:
        """Return how many pixels the page is wider than its window."""
        return int(self.driver.evaluate("document.scrollingElement.scrollWidth - innerWidth"))


class Browser:
    """A browser that opens pages, each in a window of its own.

    Args:
        driver: playwright's.
    """

    def __init__(self, driver: Any) -> None:
        self._driver = driver

    @contextlib.contextmanager
    def page(self, address: str | Path, width: int, *, dark: bool = False, touch: bool = False) -> Iterator[Page]:
        """Open a page ``width`` pixels wide."""
        context = self._driver.new_context(
            viewport={"width": width, "height": 900}, color_scheme="dark" if dark else "light", has_touch=touch
        )
        try:
            page = Page(context.new_page())
            page.driver.goto(address.resolve().as_uri() if isinstance(address, Path) else address)
            yield page
        finally:
            context.close()


@contextlib.contextmanager
def open_browser(program: Path, environment: dict[str, str]) -> Iterator[Browser]:
    """Start a browser and end it."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as tool:
        driver = tool.chromium.launch(executable_path=program, args=list(ARGUMENTS), env=environment)
        try:
            yield Browser(driver)
        finally:
            driver.close()

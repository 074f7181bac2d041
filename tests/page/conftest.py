"""Debian's Chromium against a real daemon with users. A message on the browser's console fails the test."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from fakes.daemon import Daemon
from fakes.hello import hello_world
from fakes.users import with_users

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One browser for all tests."""
    if not CHROMIUM.exists():
        if os.environ.get("CI"):
            pytest.fail("chromium is missing: apt-get install chromium")
        pytest.skip("chromium is missing: apt-get install chromium")
    expect.set_options(timeout=10_000)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """A daemon with the seed's pipeline at v1, and the users opschain, mira and guest."""
    folder = tmp_path_factory.mktemp("page")
    hello_world(folder / "ops.git", pause=0.3).tag("v1")
    daemon = Daemon(folder / "ops.git", folder / "data")
    daemon.token = with_users(daemon.data, "opschain", "mira", "guest")["opschain"]
    daemon.start()
    yield daemon
    daemon.stop()


@pytest.fixture
def visit(browser: Browser, daemon: Daemon) -> Iterator[Callable[..., Page]]:
    """A page of somebody who is logged in; `script` switches JavaScript on or off."""
    contexts = []
    said: list[str] = []

    def visited(name: str = "opschain", *, script: bool = True, width: int = 1440, scheme: str = "light") -> Page:
        context = browser.new_context(
            java_script_enabled=script,
            viewport={"width": width, "height": 900},
            color_scheme="dark" if scheme == "dark" else "light",
        )
        contexts.append(context)
        context.set_default_timeout(10_000)
        page = context.new_page()
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.goto(daemon.url + "/login")
        page.get_by_label("Name").fill(name)
        page.get_by_label("Password").fill(f"password of {name}")
        page.get_by_role("button", name="Log in").click()
        page.get_by_role("button", name="Log out").wait_for()
        return page

    yield visited
    for context in contexts:
        context.close()
    # what Chromium itself says of a refused login, and of a field that the test had focused first
    expected = ("responded with a status of 403", "Autofocus processing was blocked")
    assert [text for text in said if not any(words in text for words in expected)] == []

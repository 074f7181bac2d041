"""What holds for every test: no configuration of the machine, no real home, the same commit ids everywhere."""

import os
import tempfile
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parent

IDENTITY = {
    f"GIT_{who}_{what}": value
    for who in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "Olive"), ("EMAIL", "olive@example.com"), ("DATE", "2026-01-02T03:04:05Z"))
}
GIT = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_CONFIG_COUNT": "1",
    "GIT_CONFIG_KEY_0": "init.defaultBranch",
    "GIT_CONFIG_VALUE_0": "main",
}
QUICK_FIRST = ("pure", "property", "golden", "parts", "contract", "whole", "page")

BUDGETS = {"POINTSMAN_HYPOTHESIS", "POINTSMAN_KILLS", "POINTSMAN_SEED"}  # how long some tests try, and from where


def pytest_configure(config: pytest.Config) -> None:
    """A home of its own, a fixed Git identity, and none of the variables of Git, Pointsman or XDG.

    Before any test module is imported: libgit2 looks for the home only once, and some keep a copy of the environment.
    """
    patch, home = pytest.MonkeyPatch(), tempfile.TemporaryDirectory(prefix="pointsman-home-")
    config.add_cleanup(home.cleanup)
    config.add_cleanup(patch.undo)
    for name in list(os.environ):
        if name.startswith(("GIT_", "POINTSMAN_", "XDG_")) and name not in BUDGETS:
            patch.delenv(name)
    for name, value in {**GIT, **IDENTITY, "HOME": home.name}.items():
        patch.setenv(name, value)


@pytest.fixture(scope="session", autouse=True)
def _no_configuration_of_this_machine() -> None:
    """libgit2 knows no variable that keeps it from the system's configuration."""
    import pygit2  # noqa: PLC0415 - not before the home has been changed

    pygit2.settings.search_path[pygit2.enums.ConfigLevel.SYSTEM] = ""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Quick tests first, and the browser's last: it leaves a running event loop behind, beside which no other runs."""
    items.sort(key=lambda item: QUICK_FIRST.index(tier) if (tier := _tier(item)) in QUICK_FIRST else -1)


def _tier(item: pytest.Item) -> str:
    """The folder of `tests` that a test is in."""
    return item.path.relative_to(TESTS).parts[0]

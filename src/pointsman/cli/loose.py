"""Reading a folder that is no Git repository: there is no commit, no version and nothing published."""

from pointsman.intake.definitions import Definitions
from pointsman.intake.judging import Judging
from pointsman.intake.published import Published
from pointsman.intake.reading import Reading
from pointsman.model.inventory import Template


class _NoCommits(Definitions):
    """The commits of a folder that is no repository."""

    def __init__(self) -> None:
        self.root = ""

    def template(self, path: str, version: str) -> Template | None:  # noqa: ARG002 - nothing is at any version
        """Nothing."""
        return None


class LooseReading(Reading):
    """Reads a folder that is no repository: only what is laid before it."""

    def __init__(self) -> None:
        self.definitions = _NoCommits()
        self.published = Published()
        self.judging = Judging()
        self._refs = None

"""What is published, as the reader knows it: the ledger's rows, and the versions that a tag being judged would add."""

from collections.abc import Iterable, Mapping

from pointsman.model.plan import PinnedWorkflow
from pointsman.repo.versions import canonical_version, latest


class Published:
    """Versions of workflows by path. The first row of a version stays, as in the ledger."""

    def __init__(self, rows: Iterable[PinnedWorkflow] = ()) -> None:
        self._versions: dict[str, dict[str, PinnedWorkflow]] = {}
        self._latest: dict[str, str | None] = {}
        for row in rows:
            self.add(row)

    def add(self, row: PinnedWorkflow) -> None:
        """Add a version; one that is there stays as it is."""
        self._versions.setdefault(row.path, {}).setdefault(canonical_version(row.version), row)
        self._latest.pop(row.path, None)

    def find(self, path: str, version: str | None) -> PinnedWorkflow | None:
        """The workflow at a version as somebody wrote it, or at its latest; None if there is none (R22)."""
        versions = self._versions.get(path, {})
        if version is None:
            if path not in self._latest:
                self._latest[path] = latest(versions)
            newest = self._latest[path]
            return versions.get(newest) if newest is not None else None
        try:
            return versions.get(canonical_version(version))
        except ValueError:
            return None

    def paths(self) -> Iterable[str]:
        """Every workflow that has a version."""
        return self._versions.keys()

    def with_more(self, more: Mapping[str, PinnedWorkflow]) -> "Published":
        """These, and what a tag that is being judged would add to them."""
        together = Published()
        together._versions = {path: dict(versions) for path, versions in self._versions.items()}
        for row in more.values():
            together.add(row)
        return together

"""What is published, as the reader knows it: the ledger's rows, and the versions that a tag being judged would add."""

from collections.abc import Iterable, Iterator, Mapping

from pointsman.load.loaded import Loaded
from pointsman.model.plan import PinnedWorkflow
from pointsman.repo.versions import canonical_version, latest, same_version


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
        return _WithMore(self, more)


class Pins(Mapping[str, PinnedWorkflow]):
    """The versions that a tag gives the good workflows of its commit: `publishes` by path, or for all of them by `*`.

    To ask for one reads that workflow's file; to go through them gives every workflow's path, good or not.
    """

    def __init__(self, loaded: Loaded, publishes: Mapping[str, str]) -> None:
        self._loaded, self._publishes = loaded, publishes

    def __getitem__(self, path: str) -> PinnedWorkflow:
        version = self._publishes.get(path, self._publishes.get("*"))
        if version is None or path not in self._loaded.workflows:
            raise KeyError(path)
        return PinnedWorkflow(path=path, version=version, commit=self._loaded.inventory.commit)

    def __iter__(self) -> Iterator[str]:
        every = "*" in self._publishes
        return (path for path in self._loaded.files if every or path in self._publishes)

    def __len__(self) -> int:
        return sum(1 for _ in self)


class _WithMore(Published):
    """Versions with one more for some workflows; a version that is there already stays as it is."""

    def __init__(self, below: Published, more: Mapping[str, PinnedWorkflow]) -> None:
        super().__init__()
        self._below, self._more = below, more

    def find(self, path: str, version: str | None) -> PinnedWorkflow | None:
        """The workflow at a version, or at its latest."""
        found = self._below.find(path, version)
        extra = self._more.get(path)
        if extra is None or self._below.find(path, extra.version) is not None:
            return found
        if version is not None:
            return extra if found is None and same_version(extra.version, version) else found
        candidates = [one.version for one in (found, extra) if one is not None]
        return extra if latest(candidates) == extra.version else found

    def paths(self) -> Iterable[str]:
        """Every workflow that has a version."""
        return {*self._below.paths(), *self._more}

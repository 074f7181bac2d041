"""The versions that the tags of the local repository give, judged as the daemon would, and only when asked for."""

from collections.abc import Iterable, Mapping

from pointsman.intake.published import Published
from pointsman.intake.reading import Reading
from pointsman.intake.verdict import Verdict
from pointsman.model.names import workflow_path
from pointsman.model.plan import PinnedWorkflow
from pointsman.model.problem import Code, Invalid, Place, Problem
from pointsman.repo.tags import TagRef
from pointsman.repo.versions import ReleaseTag, canonical_version, latest, ordered, parse_tag

Release = tuple[ReleaseTag, TagRef]


def release_tags(reading: Reading) -> list[Release]:
    """Every release tag, a workflow's own before those of the repository, older ones first (DESIGN section 3)."""
    found = [(tag, ref) for name, ref in reading.refs().tags.items() if (tag := parse_tag(name)) is not None]
    return sorted(found, key=lambda release: (not release[0].workflow, release[1].tagged_at or 0, release[0].tag))


class TagPublished(Published):
    """What the tags publish: `releases`. A question costs the commits that it is about, not all there are.

    There is no ledger here: of two tags that give one version, the first that is valid counts.
    """

    def __init__(self, reading: Reading, more: Mapping[str, PinnedWorkflow] | None = None) -> None:
        super().__init__()
        self._reading = reading
        self._more = dict(more or {})
        self._by_version: dict[str, dict[str, list[Release]]] = {"": {}}
        self.releases = release_tags(reading)
        for tag, ref in self.releases:
            path = workflow_path(tag.project, tag.workflow) if tag.workflow else ""
            self._by_version.setdefault(path, {}).setdefault(tag.version, []).append((tag, ref))
        self._verdicts: dict[str, Verdict] = {}
        self._judging: set[str] = set()

    def find(self, path: str, version: str | None) -> PinnedWorkflow | None:
        """The workflow at a version, or at its latest; None if there is none (R22)."""
        extra = self._more.get(path)
        if version is not None:
            try:
                return self._at(path, canonical_version(version), extra)
            except ValueError:
                return None
        left = {canonical_version(extra.version)} if extra else set()
        left |= {*self._by_version.get(path, {}), *self._by_version[""]}
        while (newest := latest(left)) is not None:
            found = self._at(path, newest, extra)
            if found is not None:
                return found
            left.discard(newest)
        return None

    def paths(self) -> Iterable[str]:
        """Every workflow that a tag of its own, or the newest release of the repository, may have published."""
        own = [path for path in self._by_version if path]
        releases = self._by_version[""]
        for version in reversed(ordered(releases)):
            for _, ref in releases[version]:
                if ref.commit:
                    return {*own, *self._workflows_at(ref.commit)}
        return own

    def with_more(self, more: Mapping[str, PinnedWorkflow]) -> Published:
        """These, and what a tag that is being judged would add to them."""
        together = TagPublished.__new__(TagPublished)
        together.__dict__ = {**self.__dict__, "_more": {**self._more, **more}}
        return together

    def candidates(self, path: str) -> list[Release]:
        """The tags that may give this workflow a version, in the order of their versions, valid or not."""
        own, shared = self._by_version.get(path, {}), self._by_version[""]
        found = []
        for version in ordered({*own, *shared}):
            found += own.get(version, [])
            found += [one for one in shared.get(version, []) if path in self.verdict(one).workflows]
        return found

    def verdict(self, release: Release) -> Verdict:
        """What the daemon would think of a tag."""
        tag, ref = release
        if tag.tag not in self._verdicts:
            self._verdicts[tag.tag] = self._judged(tag, ref)
        return self._verdicts[tag.tag]

    def _judged(self, tag: ReleaseTag, ref: TagRef) -> Verdict:
        if not ref.commit:
            problem = Problem(place=Place("."), code=Code.BAD_REF, says=f"tag {tag.tag}: {ref.trouble}")
            return Verdict(problems=(problem,))
        own = workflow_path(tag.project, tag.workflow) if tag.workflow else "*"
        self._judging.add(tag.tag)
        try:
            return self._reading.judge(ref.commit, {own: tag.display})
        finally:
            self._judging.discard(tag.tag)

    def _at(self, path: str, version: str, extra: PinnedWorkflow | None) -> PinnedWorkflow | None:
        if extra is not None and canonical_version(extra.version) == version:
            return extra
        releases = (self._by_version.get(path, {}).get(version, []), self._by_version[""].get(version, []))
        for release in (one for some in releases for one in some):
            if self._valid(path, release):
                tag, ref = release
                return PinnedWorkflow(path=path, version=tag.display, commit=ref.commit, tag=tag.tag)
        return None

    def _valid(self, path: str, release: Release) -> bool:
        tag, ref = release
        if not ref.commit:
            return False
        if tag.tag in self._judging:
            # two tags whose workflows call each other: the cycle itself is found by whoever plans through both
            return path in self._workflows_at(ref.commit)
        facts = self.verdict(release).workflows.get(path)
        return facts is not None and facts.valid

    def _workflows_at(self, commit: str) -> Iterable[str]:
        try:
            return self._reading.definitions.at(commit).workflows
        except Invalid:
            return ()

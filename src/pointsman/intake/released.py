"""The versions that the tags of the local repository give, judged as the daemon would, and only when asked for."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from pointsman.intake.published import Published
from pointsman.intake.reading import Reading
from pointsman.intake.signing import SigningRule, signature_problem, signing_rule, tag_verdict, unchecked
from pointsman.intake.verdict import Verdict
from pointsman.model.names import workflow_path
from pointsman.model.plan import PinnedWorkflow
from pointsman.model.problem import Code, Invalid, Place, Problem, Unavailable
from pointsman.repo.tags import TagRef
from pointsman.repo.versions import ReleaseTag, canonical_version, latest, ordered, parse_tag

Release = tuple[ReleaseTag, TagRef]


def release_tags(reading: Reading) -> list[Release]:
    """Every release tag, a workflow's own before those of the repository, older ones first (DESIGN section 3)."""
    found = [(tag, ref) for name, ref in reading.refs().tags.items() if (tag := parse_tag(name)) is not None]
    return sorted(found, key=lambda release: (not release[0].workflow, release[1].tagged_at or 0, release[0].tag))


@dataclass(frozen=True, slots=True)
class _Over:
    """Versions laid over others, without going through either."""

    upper: Mapping[str, PinnedWorkflow]
    lower: "Mapping[str, PinnedWorkflow] | _Over"

    def get(self, path: str) -> PinnedWorkflow | None:
        """The upper version of a workflow if there is one, else the lower."""
        found = self.upper.get(path)
        return self.lower.get(path) if found is None else found


class TagPublished(Published):
    """What the tags publish: `releases`. A question costs the commits that it is about, not all there are.

    There is no ledger here: of two tags that give one version, the first that is valid counts. `inventory` is the head
    of the inventory branch, empty if there is none: it says whether tags must be signed. `first_seen` is when the tags
    of a push appeared (seconds since 1970), and all others count as they are; without it, each tag's own time is taken.
    """

    def __init__(self, reading: Reading, *, inventory: str = "", first_seen: Mapping[str, float] | None = None) -> None:
        super().__init__()
        self._reading = reading
        self._inventory = inventory
        self._first_seen = first_seen
        self._more: Mapping[str, PinnedWorkflow] | _Over = {}
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
                    return {*own, *self._files_at(ref.commit)}
        return own

    def with_more(self, more: Mapping[str, PinnedWorkflow]) -> Published:
        """These, and what a tag that is being judged would add to them."""
        together = TagPublished.__new__(TagPublished)
        together.__dict__ = {**self.__dict__, "_more": _Over(more, self._more)}
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
            return Verdict(others=(problem,))
        own = workflow_path(tag.project, tag.workflow) if tag.workflow else "*"
        self._judging.add(tag.tag)
        try:
            verdict = self._reading.judge(ref.commit, {own: tag.display})
        finally:
            self._judging.discard(tag.tag)
        return tag_verdict(tag, verdict, signature=self.signature(ref))

    def signature(self, ref: TagRef) -> Problem | None:
        """What is wrong with the signature of a tag; None if it is good, or nobody asks for one (R26)."""
        seen = {ref.name: float(ref.tagged_at or 0)} if self._first_seen is None else self._first_seen
        if self._rule is None or ref.name not in seen:
            return None
        at = seen[ref.name]
        try:
            return signature_problem(self._reading.definitions, self._rule, ref.name, ref.object_id, at=at)
        except Unavailable as error:
            return unchecked(ref.name, error)

    @property
    def must_be_signed(self) -> bool:
        """Whether the inventory branch asks for signed tags."""
        return self._rule is not None

    @cached_property
    def _rule(self) -> SigningRule | None:
        return signing_rule(self._reading.definitions, self._inventory)

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

    def _files_at(self, commit: str) -> Iterable[str]:
        try:
            return self._reading.definitions.at(commit).files
        except Invalid:
            return ()

    def _workflows_at(self, commit: str) -> Iterable[str]:
        try:
            return self._reading.definitions.at(commit).workflows
        except Invalid:
            return ()

"""Everything that is read from the repository and planned, as questions with plain JSON answers.

The daemon asks in another process (`reader`), the command line in its own: the same code answers both.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

from pointsman.intake.definitions import Definitions
from pointsman.intake.differences import Side
from pointsman.intake.inputs import with_texts
from pointsman.intake.judging import WHOLE, Judging, Share
from pointsman.intake.library import GitLibrary, policies
from pointsman.intake.needs import Releases, lacking
from pointsman.intake.published import Pins, Published
from pointsman.intake.verdict import Verdict
from pointsman.load.assemble import Loaded
from pointsman.model.definition import WorkflowDefinition
from pointsman.model.names import nearest, workflow_codes, workflow_path
from pointsman.model.plan import PinnedWorkflow, Plan
from pointsman.model.problem import Code, Invalid, NotFound, Place, Problem
from pointsman.model.values import JsonObject
from pointsman.model.wire import from_json, to_json
from pointsman.plan.planner import Planned, Request, plan
from pointsman.repo.files import commit_facts, folder_at, resolve_commit
from pointsman.repo.refs import RefSnapshot, read_refs

Answer = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanQuestion:
    """Which plan is wanted: a published `version` (None: the latest) of `workflow`, or a draft at `draft` (a commit),
    or a draft from `source` text. `inventory` is the inventory commit. `texts` are laid over the properties, each as
    the value that the workflow's inputs make of it.
    """

    workflow: str
    inventory: str
    version: str | None = None
    draft: str = ""
    source: str | None = None
    properties: JsonObject = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)


class Reading:
    """Answers questions about one repository."""

    def __init__(self, repository: Path, root: str = "") -> None:
        self.definitions = Definitions(repository, root)
        self.published = Published()
        self.judging = Judging()
        self._refs: RefSnapshot | None = None

    def refs(self) -> RefSnapshot:
        """All branches and tags now."""
        self._refs = read_refs(self.definitions.repository, self._refs)
        return self._refs

    def judge(
        self,
        commit: str,
        publishes: Mapping[str, str] | None = None,
        users: tuple[str, ...] | None = None,
        *,
        share: Share = WHOLE,
        most: int | None = None,
    ) -> Verdict:
        """What is thought of a commit; `publishes` are the versions that the tag being judged would give workflows.

        Of a tag that gives a version to one workflow, only that workflow is looked at. `share` and `most` are as in
        `Judging.verdict`.
        """
        try:
            loaded = self.definitions.at(commit)
        except Invalid as error:
            return Verdict(others=_told(error))
        only = next(iter(publishes), "*") if publishes else "*"
        return self.judging.verdict(
            self.side(loaded, publishes),
            users=users,
            only="" if only == "*" else only,
            share=share,
            most=most,
        )

    def judge_source(self, project: str, workflow: str, source: str, *, base: str) -> Verdict:
        """What would be thought of one workflow file if it read like this on top of a commit."""
        file = f"projects/{project}/workflows/{workflow}.yaml"
        loaded = self.definitions.with_file(base, file, source.encode("utf-8", "surrogatepass"))
        found = self.judging.verdict(self.side(loaded), only=workflow_path(project, workflow))
        named = {f"{self._prefix}{file}", file}
        own = [problem for problem in found.problems if problem.place.path in named]
        workflows = {path: replace(one, problems=()) for path, one in found.workflows.items()}
        return Verdict(others=tuple(own), workflows=workflows)

    @property
    def _prefix(self) -> str:
        return f"{self.definitions.root.strip('/')}/" if self.definitions.root.strip("/") else ""

    def side(self, loaded: Loaded, publishes: Mapping[str, str] | None = None) -> Side:
        """What was loaded, with the versions that `publishes` gives, and the library that it is planned in."""
        pins = Pins(loaded, publishes or {})
        library = GitLibrary(
            definitions=self.definitions,
            loaded=loaded,
            published=self.published.with_more(pins),
            policies=policies(loaded),
            drafts=True,
            pins=pins,
        )
        return Side(loaded=loaded, library=library, pins=pins)

    def inventory(self, commit: str) -> Answer:
        """Projects with their policies and targets with their actions at a commit, for lists and rights."""
        loaded = self.definitions.at(commit)
        rules = policies(loaded)
        return {
            "projects": {
                code: {
                    "name": project.name,
                    "description": project.description,
                    "policy": to_json(rules.get(code)),
                }
                for code, project in loaded.inventory.projects.items()
            },
            "targets": [
                {
                    "path": target.path,
                    "kind": target.kind,
                    "name": target.name,
                    "description": target.description,
                    "template": target.template.code if target.template else None,
                    "actions": sorted(target.template.actions) if target.template else [],
                    "worker": target.worker,
                }
                for target in loaded.inventory.targets.values()
            ],
            "from_tag": loaded.inventory.from_tag,
        }

    def plan(self, question: PlanQuestion) -> Planned:
        """The plan that was asked for, or every reason why there is none. `NotFound` if there is no such workflow."""
        if question.draft or question.source is not None:
            return self._plan_draft(question)
        pinned = self.published.find(question.workflow, question.version)
        if pinned is None:
            raise self._unpublished(question)
        definition = self.definitions.at(pinned.commit).workflows.get(pinned.path)
        if definition is None:
            raise Invalid(f"{pinned.path} cannot be read at commit {pinned.commit} any more")
        head = self.definitions.at(question.inventory)
        loaded = self.definitions.at(pinned.commit) if head.inventory.from_tag else head
        library = GitLibrary(
            definitions=self.definitions, loaded=loaded, published=self.published, policies=policies(head)
        )
        return plan(_request(question, pinned, definition), library)

    def _plan_draft(self, question: PlanQuestion) -> Planned:
        commit = question.draft or question.inventory
        if question.source is None:
            loaded = self.definitions.at(commit)
        else:
            project, workflow = workflow_codes(question.workflow)
            file = f"projects/{project}/workflows/{workflow}.yaml"
            loaded = self.definitions.with_file(commit, file, question.source.encode("utf-8", "surrogatepass"))
        return self.plan_loaded(question, loaded)

    def plan_loaded(self, question: PlanQuestion, loaded: Loaded) -> Planned:
        """The plan of a draft in what was loaded, with that as its inventory."""
        definition = loaded.workflows.get(question.workflow)
        if definition is None:
            raise self._unreadable(question, loaded)
        library = GitLibrary(
            definitions=self.definitions,
            loaded=loaded,
            published=self.published,
            policies=policies(loaded),
            drafts=True,
        )
        pinned = PinnedWorkflow(path=definition.path, version="", commit=loaded.inventory.commit)
        return plan(_request(question, pinned, definition), library)

    def _unreadable(self, question: PlanQuestion, loaded: Loaded) -> NotFound | Invalid:
        file = "".join((self._prefix, question.workflow.removeprefix("/"), ".yaml"))
        problems = tuple(problem for problem in loaded.problems if problem.place.path == file)
        if problems:
            return Invalid(f"{question.workflow} is invalid", problems)
        near = nearest(question.workflow, loaded.workflows)
        return NotFound(f"there is no workflow {question.workflow}", hint=f"did you mean {near}?" if near else "")

    def _unpublished(self, question: PlanQuestion) -> NotFound | Invalid:
        path = question.workflow
        if path in set(self.published.paths()):
            says = f"{path} has no valid version {question.version}" if question.version else f"{path} has no release"
            hint = "pre-releases run only when named" if not question.version else "see: pointsman versions"
            return Invalid(says, hint=hint)
        return Invalid(
            f"{path} has no valid version: a draft on a branch cannot be run",
            hint="publish it: pointsman publish, then push the tag",
        )

    def text(self, commit: str, file: str) -> str:
        """The text of a definition file at a commit; `NotFound` if it is not there."""
        entry = self.definitions.source(commit).entries.get(file)
        if entry is None or entry.data is None:
            raise NotFound(f"there is no file {file} at {commit[:12]}")
        return entry.data.decode("utf-8", "replace")

    def resolve(self, text: str) -> str:
        """The commit that a branch, tag or commit id means."""
        return resolve_commit(self.definitions.repository, text)

    def facts(self, commit: str) -> Answer:
        """Author, time and subject of a commit."""
        found = commit_facts(self.definitions.repository, commit)
        return {"author": found.author, "at": found.committed_at, "subject": found.subject}

    def export(self, tree: str) -> list[tuple[str, bool, bytes]]:
        """The files of a template's folder."""
        return [(path, executable, data) for path, executable, data in folder_at(self.definitions.repository, tree)]


def _request(question: PlanQuestion, pinned: PinnedWorkflow, definition: WorkflowDefinition) -> Request:
    """What is to be planned, with the texts of the question as the values that the workflow's inputs take."""
    properties = with_texts(question.properties, question.texts, definition.inputs)
    return Request(pinned=pinned, definition=definition, properties=properties)


def _told(error: Invalid) -> tuple[Problem, ...]:
    if error.problems:
        return error.problems
    return (Problem(place=Place("."), code=Code.BAD_REF, says=error.says, hint=error.hint),)


def question_from(data: Any) -> PlanQuestion:  # noqa: ANN401 - JSON
    """A question as it came over the pipe."""
    return from_json(PlanQuestion, data)


def asked_users(ask: Answer) -> tuple[str, ...] | None:
    """The local users as a request names them; None if they are not all there are."""
    return None if ask["users"] is None else tuple(ask["users"])


def planned_json(planned: Planned) -> Answer:
    """A planned answer as JSON."""
    return cast("Answer", to_json(planned))


ANSWERS: Mapping[str, Callable[[Reading, Answer], Any]] = {
    "judge_one": lambda reading, ask: to_json(reading.judge(ask["commit"], ask["publishes"], asked_users(ask))),
    "judge_source": lambda reading, ask: to_json(
        reading.judge_source(ask["project"], ask["workflow"], ask["source"], base=ask["base"])
    ),
    "inventory": lambda reading, ask: reading.inventory(ask["commit"]),
    "plan": lambda reading, ask: planned_json(reading.plan(question_from(ask["question"]))),
    "text": lambda reading, ask: reading.text(ask["commit"], ask["file"]),
    "resolve": lambda reading, ask: reading.resolve(ask["text"]),
    "facts": lambda reading, ask: reading.facts(ask["commit"]),
    "lacking": lambda reading, ask: to_json(
        lacking(
            Releases(definitions=reading.definitions, published=reading.published),
            from_json(PinnedWorkflow, ask["pinned"]),
            inventory=ask["inventory"],
        )
    ),
}

__all__ = ["ANSWERS", "Plan", "PlanQuestion", "Reading"]

"""What one repository has to complete with: its targets, workflows, versions, templates and people. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from pointsman.load.loaded import Loaded
from pointsman.model.definition import Approvers, GateDefinition, StageDefinition, StepDefinition, WorkflowDefinition
from pointsman.model.inventory import Target
from pointsman.model.source import Source

Versions = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """The names of one tree. `workflows` and `targets` are by path; `versions` are a workflow's, newest first.

    A workflow that is published and no longer in the tree is None. `templates` are paths of folders,
    without the `prefix` that files in places have.
    """

    targets: Mapping[str, Target] = field(default_factory=dict)
    workflows: Mapping[str, WorkflowDefinition | None] = field(default_factory=dict)
    versions: Versions = field(default_factory=dict)
    templates: tuple[str, ...] = ()
    prefix: str = ""
    user_names: tuple[str, ...] = ()
    ldap_groups: tuple[str, ...] = ()

    def actions(self, target: str) -> tuple[str, ...]:
        """The actions of a target; none if it has no template, or there is no such target."""
        found = self.targets.get(target)
        return tuple(found.template.actions) if found and found.template else ()

    def template_codes(self, project: str = "") -> tuple[str, ...]:
        """The templates that a project's files may name: its own and the shared ones; without a project, all."""
        return tuple(
            sorted(
                {
                    path.rsplit("/", 1)[1]
                    for path in self.templates
                    if not project or path.startswith(("templates/", f"projects/{project}/"))
                }
            )
        )


def known(loaded: Loaded, source: Source, *, versions: Versions | None = None, users: Iterable[str] = ()) -> Known:
    """What a tree has; `users` are people of whom is known that they have an account."""
    gathered = [*_approvers(loaded)]
    versions = versions or {}
    return Known(
        targets=loaded.inventory.targets,
        workflows={**dict.fromkeys(versions), **loaded.rest, **loaded.workflows},
        versions=versions,
        templates=tuple(path.removesuffix("/template.yaml") for path in source.entries if _is_template(path)),
        prefix=source.prefix,
        user_names=_each_once([*users, *(name for one in gathered for name in one.user_names)]),
        ldap_groups=_each_once(name for one in gathered for name in one.ldap_groups),
    )


def _is_template(path: str) -> bool:
    match path.split("/"):
        case ["templates", _, "template.yaml"] | ["projects", _, "templates", _, "template.yaml"]:
            return True
        case _:
            return False


def _approvers(loaded: Loaded) -> Iterator[Approvers]:
    """Everybody who is named anywhere in the tree."""
    for project in loaded.inventory.projects.values():
        policy = project.policy
        yield from (people for people in (policy.view, policy.run, policy.publish) if people is not None)
    for definition in (*loaded.workflows.values(), *loaded.rest.values()):
        yield from _of_steps(definition.steps)


def _of_steps(steps: tuple[StepDefinition, ...]) -> Iterator[Approvers]:
    for step in steps:
        if isinstance(step, StageDefinition):
            yield from _of_steps(step.children)
        elif isinstance(step, GateDefinition) and step.approvers is not None:
            yield step.approvers


def _each_once(names: Iterable[str]) -> tuple[str, ...]:
    """Names in alphabetical order; of spellings that are the same to Pointsman, one (R76)."""
    return tuple(sorted({name.strip().casefold(): name.strip() for name in names}.values()))

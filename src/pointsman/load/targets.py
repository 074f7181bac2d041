"""`pointsman.yaml`, projects, environments and assets → what the inventory holds, or every problem in them."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from pointsman.load.documents import (
    AssetDocument,
    EnvironmentDocument,
    PolicyDocument,
    ProjectDocument,
    RepositoryDocument,
    SettingsDocument,
    TargetDocument,
)
from pointsman.load.fields import ApproversDocument
from pointsman.load.nodes import Mapping, Node, Scalar, entry
from pointsman.load.reserved import reserved_problems
from pointsman.load.schemas import breaches
from pointsman.load.shape import About, fit
from pointsman.load.step_definitions import approvers
from pointsman.load.templates import layer
from pointsman.model.breach import Breach
from pointsman.model.definition import Approvers
from pointsman.model.inventory import Layer, Policy, Target, TargetKind, set_at
from pointsman.model.problem import Code, Place, Problem, Severity, has_errors
from pointsman.model.values import Json, JsonObject, merged

NOWHERE = Place("")
CLOSED = Policy(view=Approvers(), run=Approvers(), publish=Approvers(), allow_self_approval=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """What the targets below inherit: the layers so far, and the settings."""

    layers: tuple[Layer, ...] = ()
    allow_parallel_changes: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Repository:
    """`pointsman.yaml`."""

    level: Level
    from_tag: bool
    signed_tags: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A target as its file describes it, before its template is looked up."""

    target: Target
    level: Level
    template: str = ""
    template_version: str = ""
    template_place: Place = NOWHERE
    version_place: Place = NOWHERE
    properties_place: Place = NOWHERE
    policy: Policy = field(default_factory=Policy)


def repository(node: Node, file: str) -> tuple[Repository | None, tuple[Problem, ...]]:
    """The settings of the repository."""
    node = _something(node)
    shape = fit(node, RepositoryDocument, About(noun="pointsman.yaml"))
    problems = (*shape.problems, *reserved_problems(entry(node, "properties")))
    if shape.document is None or has_errors(problems):
        return None, problems
    own = layer(entry(node, "properties"), file)
    level = Level(layers=(own,), allow_parallel_changes=_inherited(shape.document.settings, Level()))
    signed = shape.document.signed_tags == "required"
    return Repository(level=level, from_tag=shape.document.inventory == "tag", signed_tags=signed), problems


def implied(path: str, kind: TargetKind, above: Level) -> Written:
    """A project or environment that exists because something lies below it, without a file of its own."""
    target = Target(
        path=path,
        kind=kind,
        file="",
        layers=above.layers,
        name=path.rsplit("/", 1)[-1],
        allow_parallel_changes=above.allow_parallel_changes,
    )
    return Written(target=target, level=above)


_MODELS: dict[TargetKind, tuple[type[TargetDocument], str]] = {
    TargetKind.PROJECT: (ProjectDocument, "a project"),
    TargetKind.ENVIRONMENT: (EnvironmentDocument, "an environment"),
    TargetKind.ASSET: (AssetDocument, "an asset"),
}


def target(
    node: Node, path: str, *, kind: TargetKind, file: str, above: Level
) -> tuple[Written | None, tuple[Problem, ...]]:
    """What a target's file says."""
    node = node if kind is TargetKind.ASSET else _something(node)
    model, noun = _MODELS[kind]
    shape = fit(node, model, About(noun=noun))
    properties = entry(node, "properties")
    problems = (*shape.problems, *reserved_problems(properties), *_policy_problems(node), *_worker_problems(node, kind))
    document = shape.document
    if document is None or has_errors(problems):
        return None, problems
    level = Level(
        layers=(*above.layers, layer(properties, file)),
        allow_parallel_changes=_inherited(document.settings, above),
    )
    made = Target(
        path=path,
        kind=kind,
        file=file,
        layers=level.layers,
        name=document.name or path.rsplit("/", 1)[-1],
        description=document.description,
        worker=document.worker if isinstance(document, AssetDocument) else "",
        allow_parallel_changes=level.allow_parallel_changes,
    )
    written = Written(
        target=made,
        level=level,
        template=document.template,
        template_version=document.template_version,
        template_place=_place(node, "template"),
        version_place=_place(node, "template_version"),
        properties_place=node.key_place("properties") if isinstance(node, Mapping) else node.place,
        policy=_policy(document.policy) if isinstance(document, ProjectDocument) else Policy(),
    )
    return written, problems


def _worker_problems(node: Node, kind: TargetKind) -> list[Problem]:
    """A warning for a worker's label: there is one machine yet, and it carries out everything."""
    if kind is not TargetKind.ASSET or not isinstance(node, Mapping) or entry(node, "worker") is None:
        return []
    says, hint = "worker has no effect in this version", "the daemon's own machine must reach this asset"
    return [
        Problem(
            place=node.key_place("worker"),
            code=Code.UNSUPPORTED,
            severity=Severity.WARNING,
            says=says,
            hint=hint,
        )
    ]


def _something(node: Node) -> Node:
    """An empty file says as little as an empty mapping; that is enough where every key is optional."""
    empty = isinstance(node, Scalar) and node.value is None
    return Mapping(node.path, node.mark) if empty else node


def _place(node: Node, key: str) -> Place:
    value = entry(node, key)
    return node.place if value is None else value.place


def _inherited(settings: SettingsDocument, above: Level) -> bool:
    given = "allow_parallel_changes" in settings.model_fields_set
    return settings.allow_parallel_changes if given else above.allow_parallel_changes


def _policy_problems(node: Node) -> Iterator[Problem]:
    policy = entry(node, "policy")
    if not isinstance(policy, Mapping):
        return
    if "protected" in policy.entries:
        says = "policy.protected is not supported by this version, and nothing would be protected"
        hint = "remove it, and write the approvals into the workflows"
        yield Problem(place=policy.key_place("protected"), code=Code.UNSUPPORTED, says=says, hint=hint)
    for verb in ("view", "run", "publish"):
        people = entry(policy, verb)
        if isinstance(people, Mapping) and not people.entries.keys() & {"user_names", "ldap_groups"}:
            says = f"policy.{verb} names nobody"
            hint = f"add user_names or ldap_groups, or remove {verb} to leave it to everybody who is logged in"
            yield Problem(place=policy.key_place(verb), code=Code.BAD_APPROVERS, says=says, hint=hint)


def _policy(document: PolicyDocument) -> Policy:
    def named(verb: str, people: ApproversDocument) -> Approvers | None:
        return approvers(people) if verb in document.model_fields_set else None

    return Policy(
        view=named("view", document.view),
        run=named("run", document.run),
        publish=named("publish", document.publish),
        allow_self_approval=document.allow_self_approval,
        min_approvals=document.min_approvals,
    )


def with_template_layers(made: Target) -> Target:
    """The target with its template's defaults in their place: before an asset's own layer, last otherwise (R100)."""
    if made.template is None:
        return made
    defaults = made.template.defaults
    if made.kind is TargetKind.ASSET:
        return replace(made, layers=(*made.layers[:-1], defaults, made.layers[-1]))
    return replace(made, layers=(*made.layers, defaults))


def schema_breaches(made: Target, missing_place: Place) -> Iterator[Problem]:
    """How a target's merged properties break its template's schema, where the value was set, or ought to be (R102)."""
    schema = made.template.properties_schema if made.template else None
    if made.template is None or schema is None:
        return
    properties: JsonObject = {}
    for one in made.layers:
        properties = merged(properties, one.properties)
    for breach in breaches(schema, properties):
        place = None if breach.missing else set_at(made.layers, breach.way)
        name = f"the property {breach.name}" if breach.name else "the properties"
        yield Problem(
            place=place or missing_place,
            code=Code.BREAKS_SCHEMA,
            says=f"{made.path}: {name} {breach.says}",
            hint=f"{breach.hint or _remedy(made, breach)}; the schema is in {made.template.file}".removeprefix("; "),
        )


def _remedy(made: Target, breach: Breach) -> str:
    where = f" in {made.file}" if made.file else ""
    return f"set {breach.name} under properties{where}" if breach.missing else ""


def plain_properties(layers: tuple[Layer, ...]) -> dict[str, Json]:
    """The layers merged: later wins (R100)."""
    properties: JsonObject = {}
    for one in layers:
        properties = merged(properties, one.properties)
    return properties

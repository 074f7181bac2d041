"""Random workflows for the planner: tame ones that always make a plan, and wild ones that may say anything."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache

from hypothesis import strategies as st

from fakes.sources import DEV, PROD, STAGING, World
from pointsman.model.definition import (
    Approvers,
    CallDefinition,
    ChangeDefinition,
    GateDefinition,
    RunAs,
    StageDefinition,
    StepDefinition,
    When,
    WorkflowDefinition,
)
from pointsman.model.names import workflow_path
from pointsman.model.plan import PinnedWorkflow
from pointsman.model.problem import Place
from pointsman.model.values import Json, JsonObject
from pointsman.plan.library import Shelf
from pointsman.plan.planner import Request

Texts = st.SearchStrategy[str]
Steps = st.SearchStrategy[StepDefinition]

CODES = ("deploy", "one", "two")
VALUES: JsonObject = {"env": "dev", "act": "check", "count": 3, "flag": True, "deep": {"list": [1, {"x": "y"}]}}
TEMPLATES = ("{{ env }}", "Step {{count}}", "{{ flag }} and {{ act }}", "plain", "", "{{ deep.list }}", "{{ none }}")
BRACES = st.text(alphabet="{} .ab/é\0", max_size=12)
COMMON = {
    "place": st.just(Place("projects/p/workflows/deploy.yaml")),
    "number": st.just("1"),
    "continue_on_error": st.booleans(),
    "when": st.sampled_from(When),
}


@dataclass(frozen=True, slots=True)
class Ways:
    """What the parts of a step are drawn from. `entries` are the overrides of a call."""

    names: Texts
    paths: Texts
    actions: Texts
    values: st.SearchStrategy[Json]
    entries: st.SearchStrategy[JsonObject]


@dataclass(frozen=True, slots=True)
class Made:
    """A request with the library that it is planned in."""

    request: Request
    shelf: Shelf


JSON: st.SearchStrategy[Json] = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.sampled_from(TEMPLATES) | BRACES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "pointsman", "env"]), inner),
    max_leaves=6,
)
TAME = Ways(
    names=st.sampled_from(TEMPLATES[:5]),
    paths=st.sampled_from([DEV, STAGING, PROD, "/projects/p/environments/{{ env }}/assets/web"]),
    actions=st.sampled_from(["{{ act }}", "backup", "default"]),
    values=st.sampled_from(["{{ deep }}", "{{ count }}", "x {{ env }}", 7, [1, "{{ flag }}"]]),
    entries=st.sampled_from([{name: f"{{{{ {name} }}}}" for name in VALUES}, VALUES]),
)
WILD = Ways(
    names=BRACES | st.sampled_from(TEMPLATES),
    paths=BRACES | st.sampled_from([DEV, "/projects/{{ env }}", "/projects/p/assets/gone", "{{ deep }}", ""]),
    actions=BRACES | st.sampled_from(["check", "backup", "{{ none }}", "{{ count }}"]),
    values=JSON,
    entries=st.dictionaries(st.sampled_from([*VALUES, "a"]), JSON, max_size=3),
)


@cache
def inventory_shelf() -> Shelf:
    """The inventory that all are planned in, with nothing published."""
    return World().shelf()


def _gates(ways: Ways) -> Steps:
    people = st.just(Approvers(user_names=("ann", "bob")))
    timeout = st.none() | st.integers(1, 99)
    return st.builds(
        GateDefinition, **COMMON, name=ways.names, approvers=st.none() | people, timeout_seconds=timeout
    )  # fmt: skip


def _changes(ways: Ways) -> Steps:
    single = st.tuples(st.just(False), ways.paths.map(lambda path: (path,)))
    several = st.tuples(st.just(True), st.lists(ways.paths, min_size=1, max_size=3).map(tuple))
    overrides = st.dictionaries(st.sampled_from(["extra", "port", "pointsman"]), ways.values, max_size=2)
    if ways is TAME:
        overrides = st.dictionaries(st.sampled_from(["extra", "port"]), ways.values, max_size=2)
    return st.builds(
        lambda form, **keys: ChangeDefinition(listed=form[0], targets=form[1], **keys),
        single | several,
        **COMMON,
        name=ways.names,
        start_time=st.none() | st.floats(0, 1e9),
        action=ways.actions,
        run_as=st.sampled_from(RunAs),
        property_overrides=overrides,
    )


def _calls(ways: Ways, codes: Sequence[str]) -> Steps:
    single = st.tuples(st.just(False), ways.entries.map(lambda entry: (entry,)))
    several = st.tuples(st.just(True), st.lists(ways.entries, min_size=1, max_size=3).map(tuple))
    targets = st.sampled_from([workflow_path("p", code) for code in codes])
    return st.builds(
        lambda form, **keys: CallDefinition(listed=form[0], property_overrides=form[1], **keys),
        single | several,
        **COMMON,
        name=ways.names,
        target=targets if ways is TAME else targets | ways.paths,
        version=st.none() if ways is TAME else st.none() | st.sampled_from(["1", "9", "{{ count }}", "{{"]),
        run_as=st.sampled_from(RunAs),
    )


@cache
def _step_lists(ways: Ways, callable_codes: tuple[str, ...]) -> st.SearchStrategy[tuple[StepDefinition, ...]]:
    leaves = _gates(ways) | _changes(ways)
    if callable_codes:
        leaves |= _calls(ways, callable_codes)

    def stages(inner: Steps) -> Steps:
        children = st.lists(inner, min_size=1, max_size=2).map(tuple)
        run_as, most = st.sampled_from(RunAs), st.none() | st.integers(1, 2)
        return st.builds(
            StageDefinition, **COMMON, name=ways.names, run_as=run_as, children=children, max_parallel=most
        )  # fmt: skip

    return st.lists(st.recursive(leaves, stages, max_leaves=3), min_size=1, max_size=2).map(tuple)


@st.composite
def _made(draw: st.DrawFn, ways: Ways, *, lenient: bool) -> Made:
    definitions: dict[str, WorkflowDefinition] = {}
    for number, code in enumerate(CODES):
        codes = CODES[number + 1 :] if ways is TAME else CODES[1:]
        path = workflow_path("p", code)
        definitions[code] = WorkflowDefinition(
            path=path,
            file=f"projects/p/workflows/{code}.yaml",
            steps=draw(_step_lists(ways, codes)),
            properties={} if ways is TAME else draw(ways.entries),
        )
    root = definitions.pop("deploy")
    properties = VALUES if ways is TAME else draw(ways.entries)
    pinned = PinnedWorkflow(path=root.path, version="", commit="")
    request = Request(pinned=pinned, definition=root, properties=dict(properties), lenient=lenient)
    return Made(request, _published(definitions))


def _published(definitions: Mapping[str, WorkflowDefinition]) -> Shelf:
    pins = {
        code: PinnedWorkflow(path=one.path, version="1", commit=f"commit of {code}")
        for code, one in definitions.items()
    }
    return replace(
        inventory_shelf(),
        releases={pin.path: (pin,) for pin in pins.values()},
        definitions={pins[code]: one for code, one in definitions.items()},
    )


def tame() -> st.SearchStrategy[Made]:
    """Workflows that make a plan: every target exists, every variable has a value, no call leads back."""
    return _made(TAME, lenient=False)


def wild(*, lenient: bool) -> st.SearchStrategy[Made]:
    """Workflows that may say anything that a definition can hold, and call one another in circles."""
    return _made(WILD, lenient=lenient)

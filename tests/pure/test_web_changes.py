"""What is different since a workflow last succeeded."""

from fakes.sources import World
from pointsman.model.plan import Plan
from pointsman.model.run import RunState
from pointsman.store.runs import RunHeader
from pointsman.web.changes import changes

LAST = RunHeader(
    number=11,
    id="ab",
    project="p",
    workflow="/projects/p/workflows/w",
    version="1",
    plan_digest="",
    state=RunState.SUCCEEDED,
    attempt=1,
    seq=9,
    started_by="ann",
    created_at=0,
    started_at=0,
    finished_at=1_800_000_000,
    metadata={},
)
ASSET = "projects/p/environments/e/assets/{}.yaml"


def _plan(hostname: str, *targets: str) -> Plan:
    steps = "".join(
        f"- target: /projects/p/environments/e/assets/{name}\n  action: act\n  type: change\n" for name in targets
    )
    files = {
        "templates/t/template.yaml": "actions: {act: {command: ['true', '{{ hostname }}']}}\n",
        ASSET.format("a"): f"template: t\nproperties: {{hostname: {hostname}}}\n",
        ASSET.format("b"): "template: t\nproperties: {hostname: b}\n",
        ASSET.format("c"): "template: t\nproperties: {hostname: c}\n",
    }
    return World(files=files).plan(f"steps:\n{steps}")


def test_the_same_plan_has_no_changes() -> None:
    plan = _plan("x", "a", "b")
    found = changes(plan, plan, LAST)
    assert (found["same_plan"], found["added"], found["removed"], found["changed"]) == (True, [], [], [])
    assert (found["run"], found["finished_at"]) == (11, "2027-01-15T08:00:00.000Z")


def test_what_is_new_gone_or_done_otherwise_is_named_by_target_and_action() -> None:
    found = changes(_plan("x", "a", "b"), _plan("y", "a", "c"), LAST)
    at = "/projects/p/environments/e/assets/"
    assert found["same_plan"] is False
    assert (found["added"], found["removed"], found["changed"]) == ([f"{at}c act"], [f"{at}b act"], [f"{at}a act"])

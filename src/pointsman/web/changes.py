"""What is different in a run from the last one of its workflow that succeeded. Pure."""

from pointsman.model.plan import Plan
from pointsman.store.runs import RunHeader
from pointsman.web.shapes import moment

Shape = dict[str, object]


def changes(before: Plan, after: Plan, last: RunHeader) -> Shape:
    """Which commits moved, and whose work differs: added, removed and changed steps by target and action."""
    was, now = _work(before), _work(after)
    commits = {pinned.path: pinned.commit for pinned in before.pinned}
    return {
        "run": last.number,
        "version": last.version,
        "finished_at": moment(last.finished_at),
        "same_plan": before.digest == after.digest,
        "commits": {
            pinned.path: {"before": commits.get(pinned.path), "after": pinned.commit}
            for pinned in after.pinned
            if commits.get(pinned.path) != pinned.commit
        },
        "inventory_commit": {"before": before.inventory_commit, "after": after.inventory_commit},
        "added": sorted(f"{target} {action}" for target, action in now.keys() - was.keys()),
        "removed": sorted(f"{target} {action}" for target, action in was.keys() - now.keys()),
        "changed": sorted(f"{t} {a}" for t, a in now.keys() & was.keys() if was[t, a] != now[t, a]),
    }


def _work(plan: Plan) -> dict[tuple[str, str], tuple[str, ...]]:
    """For each target and action the contents that a plan does to it."""
    found: dict[tuple[str, str], tuple[str, ...]] = {}
    for step in plan.steps:
        if step.target:
            key = (step.target, step.action)
            found[key] = (*found.get(key, ()), step.content)
    return {key: tuple(sorted(contents)) for key, contents in found.items()}

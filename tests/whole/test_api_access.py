"""Who may see and do what: what one may not view is nowhere, what one may not do is refused with the reason."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from fakes.daemon import Answer, Daemon
from fakes.git import Repository
from fakes.lab import LAB, lab_files, served_lab, started

HIDDEN = "/projects/secret/workflows/hidden"
SHOWN = "/projects/shown/workflows/open"


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    with served_lab(tmp_path_factory.mktemp("access")) as daemon:
        yield daemon


@pytest.fixture(scope="module")
def secret(daemon: Daemon) -> int:
    """A run that only opschain may see, waiting."""
    run = int(daemon.post("runs", {"workflow": HIDDEN})["number"])
    daemon.run_in(run, "waiting")
    return run


def _as(daemon: Daemon, who: str, method: str, path: str, body: object = None) -> Answer:
    return daemon.ask(method, path, body, Authorization=f"Bearer {daemon.tokens[who]}")


def test_what_one_may_not_view_answers_exactly_as_what_is_nowhere(daemon: Daemon, secret: int) -> None:
    """DESIGN section 8: also by its id, its steps, its logs, its gates."""
    run_id = daemon.get(f"runs/{secret}")["id"]
    for path in ("runs/{}", "runs/{}/events", "runs/{}/steps/1/log", "runs/{}/steps/2/log", "gates/{}:1"):
        for name in (secret, run_id):
            hidden = _as(daemon, "guest", "GET", path.format(name))
            nowhere = _as(daemon, "guest", "GET", path.format(987654))
            assert hidden.status == nowhere.status == 404
            assert hidden.json == _renamed(nowhere.json, "987654", str(name))


def _renamed(body: dict[str, object], old: str, new: str) -> dict[str, object]:
    return {key: value.replace(old, new) if isinstance(value, str) else value for key, value in body.items()}


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("runs", {"workflow": HIDDEN}), ("runs", {"workflow": "hidden"}), ("runs", {"workflow": "secret/hidden"}),
        ("plan", {"workflow": HIDDEN}), ("plan", {"workflow": HIDDEN, "ref": "main"}),
        ("plan", {"project": "secret", "source": "steps: []"}),
        ("validate", {"project": "secret", "source": "steps: []"}),
        ("runs/{}/cancel", {}), ("gates/{}:1/decision", {"decision": "continue"}),
    ],
)  # fmt: skip
def test_nothing_can_be_done_to_what_one_may_not_view(daemon: Daemon, secret: int, path: str, body: object) -> None:
    """DESIGN section 8."""
    before = daemon.get(f"runs/{secret}")
    assert _as(daemon, "guest", "POST", path.format(secret), body).status == 404
    assert daemon.get(f"runs/{secret}") == before


def test_lists_leave_out_what_one_may_not_view(daemon: Daemon, secret: int) -> None:
    """DESIGN section 8: runs, gates, workflows, targets, events, verdicts."""
    for path in ("runs?limit=200", "gates?all=true", "workflows?limit=200", "targets?limit=200", "events?limit=200"):
        assert b"secret" in daemon.ask("GET", path).body, path
        assert b"secret" not in _as(daemon, "guest", "GET", path).body, path
    assert _as(daemon, "guest", "GET", "runs?workflow=hidden").json["items"] == []
    assert _as(daemon, "guest", "GET", f"runs?workflow={HIDDEN}").json["items"] == []
    assert b"secret" not in _as(daemon, "guest", "POST", "validate", {"ref": "main"}).body
    assert secret


def test_who_may_view_but_not_run_sees_and_is_refused_with_the_reason(daemon: Daemon) -> None:
    """R70, DESIGN section 8."""
    run = int(daemon.post("runs", {"workflow": SHOWN})["number"])
    before = daemon.run_in(run, "waiting")
    assert _as(daemon, "guest", "GET", f"runs/{run}").json == before
    assert _as(daemon, "guest", "POST", "plan", {"workflow": SHOWN}).status == 200
    for path, body in (
        ("runs", {"workflow": SHOWN}),
        (f"runs/{run}/cancel", {}),
        (f"gates/{run}:1/decision", {"decision": "continue"}),
    ):
        answer = _as(daemon, "guest", "POST", path, body)
        assert answer.status == 403, path
        assert "guest may not run in this project: its policy gives that to opschain" in answer.json["detail"]
    assert daemon.get(f"runs/{run}") == before
    assert len(daemon.get(f"runs?workflow={SHOWN}")["items"]) == 1


def test_a_run_needs_the_right_to_run_in_the_projects_of_its_targets_too(tmp_path: Path) -> None:
    """DESIGN section 8: creating a run needs `run` in the project of every target."""
    with served_lab(tmp_path) as daemon:
        other = "steps:\n- {type: change, target: /projects/shown/assets/one, action: say}\n"
        repository = Repository(tmp_path / "ops.git")
        repository.commit({**lab_files(tmp_path), "projects/lab/workflows/reaching.yaml": other})
        repository.tag("lab/reaching/v1")
        daemon.until(lambda: _as(daemon, "mira", "GET", "workflows/lab/reaching").status == 200, "the version")
        daemon.until(lambda: daemon.get("workflows/lab/reaching")["latest"], "the version")
        answer = _as(daemon, "mira", "POST", "runs", {"workflow": LAB.format("reaching")})
        assert (answer.status, "project shown" in answer.json["detail"]) == (403, True)
        daemon.run_in(started(daemon, "reaching"), "succeeded")


BROKEN = ("policy: {run: opschain}\n", "policy: {run: {user_names: []}}\n", "a: [\n", "polcy: {}\n")


def test_a_broken_project_file_closes_its_project_until_it_is_mended(tmp_path: Path) -> None:
    """DESIGN section 8: what cannot be read gives nobody anything; other projects go on."""
    with served_lab(tmp_path) as daemon:
        run = started(daemon, "gated")
        daemon.run_in(run, "waiting")
        repository = Repository(tmp_path / "ops.git")
        good = "projects/lab/project.yaml"
        for broken in BROKEN:
            repository.commit({good: broken})
            daemon.until(lambda: _refused(daemon, "runs", {"workflow": LAB.format("quick")}), f"closed by {broken!r}")
            assert _refused(daemon, f"runs/{run}/cancel")
            assert _refused(daemon, f"gates/{run}:1/decision", {"decision": "continue"})
            assert daemon.ask("GET", "workflows/shown/open").status == 200
            repository.commit({good: lab_files(tmp_path)[good]})
            daemon.until(lambda: not _refused(daemon, "runs", {"workflow": LAB.format("quick")}), "open again")
        assert daemon.get(f"runs/{run}")["state"] == "waiting"


def _refused(daemon: Daemon, path: str, body: object = None) -> bool:
    return daemon.ask("POST", path, body or {}).status in {403, 404}


def test_a_broken_project_file_shows_a_hidden_project_to_nobody(tmp_path: Path) -> None:
    """DESIGN section 8."""
    with served_lab(tmp_path) as daemon:
        repository = Repository(tmp_path / "ops.git")
        repository.commit({"projects/secret/project.yaml": "a: [\n"})
        daemon.until(lambda: _refused(daemon, "runs", {"workflow": HIDDEN}), "closed")
        assert _as(daemon, "guest", "GET", "workflows/secret/hidden").status == 404

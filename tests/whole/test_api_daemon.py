"""The daemon's start and end: what it refuses and says, an empty repository, and what goes on over a restart."""

import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fakes.daemon import Daemon, steps_of
from fakes.git import Repository
from fakes.hello import PIPELINE, hello_world
from fakes.lab import began, let_go, served_lab, started
from fakes.raw import head, raw
from fakes.users import with_users


@contextmanager
def _served(folder: Path, *args: str, **environ: str) -> Iterator[Daemon]:
    daemon = Daemon(folder / "ops.git", folder / "data", ("--operator", "opschain", *args), environ=environ)
    try:
        yield daemon.start()
    finally:
        if daemon.process is not None:
            daemon.kill()


def _serve(*args: object) -> subprocess.CompletedProcess[str]:
    """A daemon that is to end by itself."""
    command = [sys.executable, "-m", "pointsman", "serve", *map(str, args)]
    return subprocess.run(command, capture_output=True, text=True, timeout=30, check=False, cwd="/")


def test_a_repository_that_is_not_there_is_named(tmp_path: Path) -> None:
    """One sentence and what to do, no traceback."""
    done = _serve(tmp_path / "nowhere.git", "--data", tmp_path / "data")
    assert done.returncode != 0
    assert done.stdout == ""
    assert str(tmp_path / "nowhere.git") in done.stderr
    assert "Traceback" not in done.stderr


def test_a_port_that_is_taken_is_named(tmp_path: Path) -> None:
    """With what to do about it."""
    hello_world(tmp_path / "ops.git")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        done = _serve(tmp_path / "ops.git", "--data", tmp_path / "data", "--listen", address)
    assert done.returncode == 75
    assert f"cannot listen on {address}" in done.stderr
    assert "another program has this port" in done.stderr
    assert "Traceback" not in done.stderr


def test_without_users_no_other_address_than_loopback_is_served(tmp_path: Path) -> None:
    """DESIGN section 8."""
    hello_world(tmp_path / "ops.git")
    done = _serve(tmp_path / "ops.git", "--data", tmp_path / "data", "--listen", "0.0.0.0:0")
    assert (done.returncode, done.stdout) == (7, "")
    assert "without users" in done.stderr
    assert "pointsman user add" in done.stderr


def test_a_second_daemon_on_the_same_data_names_the_first(tmp_path: Path) -> None:
    """R114."""
    hello_world(tmp_path / "ops.git")
    with _served(tmp_path) as daemon:
        assert daemon.process is not None
        done = _serve(tmp_path / "ops.git", "--data", daemon.data, "--listen", "127.0.0.1:0")
        assert done.returncode == 7
        assert f"process {daemon.process.pid}" in done.stderr
        assert daemon.ask("GET", "//healthz").status == 200


def test_a_repository_without_commits_is_served_and_comes_to_life_with_its_first_push(tmp_path: Path) -> None:
    """It is ready, says what is missing, refuses runs with that reason, and then all works."""
    Repository.create(tmp_path / "ops.git", bare=True)
    with _served(tmp_path) as daemon:
        assert daemon.ask("GET", "//readyz").status == 200
        assert daemon.get("workflows")["items"] == []
        refused = daemon.ask("POST", "plan", {"project": "p", "source": "steps: []"})
        assert (refused.status, "there is no branch main" in refused.json["detail"]) == (409, True)
        missing = daemon.ask("POST", "runs", {"workflow": PIPELINE})
        assert missing.status in {404, 409}
        assert "there is no" in missing.json["detail"]
        clone = hello_world(tmp_path / "clone", bare=False)
        clone.git("push", "-q", str(tmp_path / "ops.git"), "main")
        clone.git("tag", "v1")
        clone.git("push", "-q", str(tmp_path / "ops.git"), "v1")
        daemon.until(lambda: daemon.ask("POST", "runs", {"workflow": PIPELINE}).status == 201, "the first run")
        daemon.run_in(1, "waiting")


def test_a_tag_without_the_inventory_branch_is_refused_with_the_reason(tmp_path: Path) -> None:
    """The version is there; what it would do it to is not."""
    clone = hello_world(tmp_path / "clone", bare=False)
    clone.tag("v1")
    Repository.create(tmp_path / "ops.git", bare=True)
    clone.git("push", "-q", str(tmp_path / "ops.git"), "v1")
    with _served(tmp_path) as daemon:
        assert daemon.get("workflows/hello_world/rollout-pipeline")["latest"] == "1"
        answer = daemon.ask("POST", "runs", {"workflow": PIPELINE})
        assert (answer.status, "there is no branch main" in answer.json["detail"]) == (409, True)
        clone.git("push", "-q", str(tmp_path / "ops.git"), "main")
        daemon.until(lambda: daemon.ask("POST", "runs", {"workflow": PIPELINE}).status == 201, "the run")


def test_health_is_told_without_a_login_and_at_the_root(tmp_path: Path) -> None:
    """INTERFACES: `/healthz`, `/readyz`, `/metrics`, `/version`."""
    with served_lab(tmp_path) as daemon:
        daemon.run_in(started(daemon, "quick"), "succeeded")
        daemon.token = ""
        assert daemon.ask("GET", "//healthz").json == {"status": "ok"}
        assert daemon.ask("GET", "//readyz").json["status"] == "ready"
        assert daemon.ask("GET", "//version").json.keys() == {"version"}
        assert 'pointsman_runs{state="succeeded"} 1' in daemon.ask("GET", "//metrics").body.decode()
        assert daemon.ask("GET", "healthz").status == 401


def test_term_starts_nothing_more_and_running_steps_go_on_without_the_daemon(tmp_path: Path) -> None:
    """R113: it exits with 0 within 5 s; R110: the next one takes over."""
    with served_lab(tmp_path) as daemon:
        run = started(daemon, "holding")
        began(daemon, run, "1")
        run_id = daemon.get(f"runs/{run}")["id"]
        assert daemon.stop(seconds=5) == 0
        daemon.start()
        assert steps_of(daemon.get(f"runs/{run}"))["1"]["state"] == "running"
        let_go(daemon, run, "1")
        daemon.run_in(run, "succeeded")
        assert daemon.ask("GET", f"runs/{run}/steps/1/log").body == b"holding\nreleased\n"
        assert daemon.get(f"runs/{run}")["id"] == run_id


def test_a_gates_time_runs_on_while_no_daemon_is_there(tmp_path: Path) -> None:
    """R78, R110: after a kill too."""
    with served_lab(tmp_path) as daemon:
        run = started(daemon, "timed")
        assert daemon.get(f"runs/{run}")["state"] == "waiting"
        daemon.kill()
        daemon.start()
        daemon.run_in(run, "succeeded")
        (given,) = daemon.get(f"gates/{run}:1")["decisions"]
        assert given["actor"] == "system"


def test_what_was_acknowledged_is_there_after_a_kill(tmp_path: Path) -> None:
    """R110: a run, a decision, a refusal, a cancellation; and the pending run still waits for its blocker."""
    with served_lab(tmp_path) as daemon:
        agreed, first, second = started(daemon, "agreed"), started(daemon, "gated"), started(daemon, "gated")
        daemon.post(f"gates/{agreed}:1/decision", {"decision": "reject", "message": "no"})
        with daemon.acting_as(daemon.tokens["guest"]):
            assert daemon.ask("POST", f"runs/{first}/cancel").status == 403
        before = [daemon.get(f"runs/{run}") for run in (agreed, first, second)]
        daemon.kill()
        daemon.start()
        assert [daemon.get(f"runs/{run}") for run in (agreed, first, second)] == before
        assert before[2]["blocked_by"] == [first]


def test_a_planted_secret_of_the_daemon_appears_nowhere(tmp_path: Path) -> None:
    """DESIGN section 2: steps have a clean environment; it is in no log, page, event or file either."""
    secret = "planted-4f1c9"
    environ = {"AWS_SECRET_ACCESS_KEY": secret, "PASSED_ON": "passed-77"}
    config = '[steps]\npass_environment = ["PASSED_ON"]\n'
    with served_lab(tmp_path, config=config, environ=environ) as daemon:
        assert daemon.process is not None
        assert secret in Path(f"/proc/{daemon.process.pid}/environ").read_text()
        run = started(daemon, "looking")
        daemon.run_in(run, "succeeded", "failed")
        log = daemon.ask("GET", f"runs/{run}/steps/1/log").body.decode()
        assert "PASSED_ON=passed-77" in log
        assert f"POINTSMAN_RUN_ID={daemon.get(f'runs/{run}')['id']}" in log
        held = started(daemon, "holding")
        began(daemon, held, "1")
        assert [pid for pid in _descendants(daemon.process.pid) if secret in _environment(pid)] == []
        let_go(daemon, held, "1")
        daemon.run_in(held, "succeeded")
        for path in (
            f"runs/{run}",
            f"runs/{run}/events?limit=200",
            "events?limit=200",
            "//metrics",
            "//",
            f"//runs/{run}",
        ):
            assert secret.encode() not in daemon.ask("GET", path).body, path
        daemon.stop()
        assert secret not in daemon.stderr()
    for file in (tmp_path / "data").rglob("*"):
        assert not file.is_file() or secret.encode() not in file.read_bytes(), file


def _descendants(pid: int) -> list[int]:
    pids = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]
    found = [(each, _parent(each)) for each in pids]
    below = {pid}
    while True:
        more = {child for child, parent in found if parent in below} - below
        if not more:
            return sorted(below - {pid})
        below |= more


def _parent(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0


def _environment(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/environ").read_text("utf-8", "replace")
    except OSError:
        return ""


def test_a_wrong_token_is_told_so_and_what_to_do(tmp_path: Path) -> None:
    """Also without users, when a token would not even be needed."""
    hello_world(tmp_path / "ops.git")
    with _served(tmp_path) as daemon:
        assert daemon.get("whoami") == {"name": "opschain", "source": "operator", "local": False}
        wrong = daemon.ask("GET", "whoami", Authorization="Bearer pm_wrong")
        assert (wrong.status, wrong.headers["www-authenticate"]) == (401, "Bearer")
        assert "pointsman token create" in wrong.json["hint"]
        assert daemon.ask("POST", "tokens", {"user": "a", "password": "b"}).status == 409


def test_the_first_user_ends_the_time_of_the_one_operator(tmp_path: Path) -> None:
    """DESIGN section 8: at once, in the daemon that runs."""
    hello_world(tmp_path / "ops.git")
    with _served(tmp_path) as daemon:
        assert daemon.ask("GET", "runs").status == 200
        tokens = with_users(daemon.data, "mira")
        assert daemon.ask("GET", "runs").status == 401
        assert daemon.ask("GET", "runs", Authorization=f"Bearer {tokens['mira']}").status == 200


def test_behind_a_name_of_its_own_it_still_answers_on_this_machine(tmp_path: Path) -> None:
    """A proxy's name and a health check by address, on every interface; no other name."""
    hello_world(tmp_path / "ops.git")
    with_users(tmp_path / "data", "mira")
    (tmp_path / "pointsman.toml").write_text('listen = "0.0.0.0:0"\nexternal_url = "https://ops.example.com"\n')
    repository, data = str(tmp_path / "ops.git"), str(tmp_path / "data")
    command = [
        sys.executable,
        "-m",
        "pointsman",
        "serve",
        repository,
        "--data",
        data,
        "--config",
        f"{tmp_path}/pointsman.toml",
    ]
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"0.0.0.0:{free.getsockname()[1]}"
    serving = subprocess.Popen([*command, "--listen", address], stdout=subprocess.PIPE, text=True)
    try:
        assert serving.stdout is not None
        assert "https://ops.example.com" in serving.stdout.readline()
        url = f"http://127.0.0.1:{address.rpartition(':')[2]}"
        for host, status in (
            (url.removeprefix("http://"), 200), ("ops.example.com", 200), ("OPS.example.com", 200),
            (url.removeprefix("http://").replace("127.0.0.1", "localhost"), 200), ("evil.example.com", 421),
        ):  # fmt: skip
            answer = raw(url, head(url, "GET", "/healthz", host=host))
            assert answer.status == status, host
            assert answer.headers["strict-transport-security"] == "max-age=31536000"
    finally:
        serving.kill()
        serving.communicate()

"""A small repository for tests of the API, and a daemon that serves it: actions that wait to be let go, four projects.

`lab` may be run by opschain and mira, `secret` is seen by opschain alone, `shown` is seen by all and run by opschain.
`hold` waits until the test lets it go: `began` and `let_go` meet it by files.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from fakes.daemon import Daemon
from fakes.git import Repository
from fakes.users import with_users

LAB = "/projects/lab/workflows/{}"
USERS = ("opschain", "mira", "guest")

TOOL = """\
name: Tool
properties: {{words: hello, lab: "{lab}"}}
actions:
  say: {{run: 'echo "$WORDS from $POINTSMAN_TARGET"', env: {{WORDS: "{{{{ words }}}}"}}}}
  hold:
    run: |
      echo holding
      touch "$LAB/began.$POINTSMAN_RUN_ID.$POINTSMAN_STEP"
      until [ -e "$LAB/go.$POINTSMAN_RUN_ID.$POINTSMAN_STEP" ]; do sleep 0.02; done
      echo released
    env: {{LAB: "{{{{ lab }}}}"}}
  fail: {{run: 'echo "on purpose"; exit 3'}}
  flaky: {{run: 'echo "attempt $POINTSMAN_ATTEMPT"; [ "$POINTSMAN_ATTEMPT" = 2 ]', retry: {{max: 1}}}}
  stubborn:
    run: |
      trap '' TERM
      touch "$LAB/began.$POINTSMAN_RUN_ID.$POINTSMAN_STEP"
      while :; do sleep 0.05; done
    env: {{LAB: "{{{{ lab }}}}"}}
  count: {{run: 'seq -f "line %06.0f" 1 10000'}}
  look: {{run: 'env; tr "\\0" "\\n" </proc/$PPID/environ; cat "$POINTSMAN_CONTEXT" "$POINTSMAN_PROPERTIES"'}}
"""


def _change(action: str, target: str = "one", *, project: str = "lab", more: str = "") -> str:
    return f"- {{type: change, target: /projects/{project}/assets/{target}, action: {action}{more}}}\n"


_WAIT = "- {type: wait, name: Look at it}\n"
_APPROVAL = "- {type: wait, name: Agree, requires_approval_from: {user_names: [opschain, mira]}}\n"
WORKFLOWS: Mapping[str, str] = {
    "quick": _change("say"),
    "gated": _WAIT + _change("say", "two"),
    "agreed": _APPROVAL + _change("say", "two"),
    "holding": _change("hold"),
    "holding-too": "- name: Both\n  run_as: parallel\n  children:\n"
    + "".join(f"    {line}" for line in (_change("hold"), _change("say", "two"))),
    "free": _change("hold", "free"),
    "free-too": _change("hold", "free"),
    "failing": _change("fail") + _change("say"),
    "flaky": _change("flaky"),
    "stubborn": _change("stubborn", "two") + _change("say"),
    "counting": _change("count", "two"),
    "looking": _change("look", "two"),
    "speaking": _change("say", "two", more=", property_overrides: {words: '{{ words }}'}"),
    "timed": "- {type: wait, name: Soon, timeout: 1s, on_timeout: continue}\n" + _change("say", "two"),
    "wide": "- name: All\n  run_as: parallel\n  children:\n"
    + "".join(f"    {_change('say', f'n{n}')}" for n in range(8)),
}
_REPLACING = f"concurrency: {{on_new: replace}}\nsteps:\n{_WAIT}"
_ALONE = f"concurrency: {{on_new: skip}}\nsteps:\n{_WAIT}"


def lab_files(folder: Path) -> dict[str, str]:
    """The files of the repository; `folder` is where tests and actions meet."""
    files = {f"projects/lab/workflows/{name}.yaml": f"steps:\n{steps}" for name, steps in WORKFLOWS.items()}
    asset = "template: tool\n"
    return {
        **files,
        "templates/tool/template.yaml": TOOL.format(lab=folder),
        "projects/lab/project.yaml": "name: Lab\npolicy: {run: {user_names: [opschain, mira]}}\n",
        "projects/lab/workflows/replacing.yaml": _REPLACING,
        "projects/lab/workflows/alone.yaml": _ALONE,
        "projects/lab/assets/free.yaml": asset + "settings: {allow_parallel_changes: true}\n",
        **{f"projects/lab/assets/{name}.yaml": asset for name in ("one", "two", *(f"n{n}" for n in range(8)))},
        "projects/secret/project.yaml": "policy: {view: {user_names: [opschain]}}\n",
        "projects/secret/assets/one.yaml": asset,
        "projects/secret/workflows/hidden.yaml": f"steps:\n{_WAIT}{_change('say', project='secret')}",
        "projects/shown/project.yaml": "policy: {run: {user_names: [opschain]}}\n",
        "projects/shown/assets/one.yaml": asset,
        "projects/shown/workflows/open.yaml": f"steps:\n{_WAIT}{_change('say', project='shown')}",
    }


@contextmanager
def served_lab(
    folder: Path, *, config: str = "", workers: int = 4, environ: Mapping[str, str] | None = None
) -> Iterator[Daemon]:
    """A daemon on the repository at v1, with its three users; requests are opschain's unless told otherwise."""
    repository = Repository.create(folder / "ops.git", bare=True)
    repository.commit(lab_files(folder))
    repository.tag("v1")
    tokens = with_users(folder / "data", *USERS)
    (folder / "pointsman.toml").write_text(f"poll_seconds = 0.5\n{config}")
    daemon = Daemon(
        folder / "ops.git",
        folder / "data",
        ("--workers", str(workers), "--config", str(folder / "pointsman.toml")),
        environ=dict(environ or {}),
        tokens=tokens,
        token=tokens["opschain"],
    )
    try:
        yield daemon.start()
    finally:
        if daemon.process is not None:
            daemon.kill()


def started(daemon: Daemon, workflow: str, **more: object) -> int:
    """The number of a new run of a workflow of the lab."""
    return int(daemon.post("runs", {"workflow": LAB.format(workflow), **more})["number"])


def began(daemon: Daemon, run: int, key: str) -> None:
    """Wait until the run's `hold` at this key runs."""
    run_id = daemon.get(f"runs/{run}")["id"]
    daemon.until((daemon.data.parent / f"began.{run_id}.{key}").exists, f"step {key} of run {run}")


def let_go(daemon: Daemon, run: int, key: str) -> None:
    """Let the run's `hold` at this key end."""
    (daemon.data.parent / f"go.{daemon.get(f'runs/{run}')['id']}.{key}").touch()

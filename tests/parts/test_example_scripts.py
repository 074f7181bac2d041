"""The example that `pointsman init` writes: its repository, and its scripts run for real as a step runs them."""

import hashlib
import os
import re
import socket
import subprocess
import tarfile
from dataclasses import dataclass, field
from pathlib import Path

import pygit2
import pytest
from click.testing import CliRunner

from pointsman.cli.init import init, write_example
from pointsman.intake.reading import PlanQuestion, Reading
from pointsman.load.assemble import assemble
from pointsman.load.working_tree import working_tree
from pointsman.model.problem import Refused

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
WORKFLOWS = "/projects/hello_world/workflows"


@dataclass
class Server:
    """One managed server: the folders of a step on it, and the environment that the daemon and `env:` would give."""

    home: Path
    scripts: Path
    environ: dict[str, str] = field(default_factory=dict)

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """The script's end, with what it printed."""
        env = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.home),
            "LANG": "C.UTF-8",
            "CI": "true",
            "SERVER_NAME": "dev-web-01.example.com",
            "STATE_FOLDER": "~/the servers",
            "POINTSMAN_ENVIRONMENT": "dev",
            "POINTSMAN_TARGET": "/projects/hello_world/environments/dev/assets/managed_server",
            "POINTSMAN_VERSION": "1",
            "POINTSMAN_RUN_ID": "abc",
            "POINTSMAN_ACTOR": "opschain",
            "POINTSMAN_OUTPUT": str(self.home / "output"),
            **self.environ,
        }
        return subprocess.run(command, cwd=self.scripts, env=env, capture_output=True, text=True, check=False)

    @property
    def state(self) -> Path:
        return self.home / "the servers" / "dev"

    @property
    def outputs(self) -> dict[str, str]:
        """What the scripts reported, the last word of each name."""
        return dict(line.split("=", 1) for line in (self.home / "output").read_text("utf-8").splitlines())


@pytest.fixture(name="repository", scope="module")
def _repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("init") / "hello world"
    write_example(folder)
    return folder


@pytest.fixture(name="server")
def _server(repository: Path, tmp_path: Path) -> Server:
    return Server(tmp_path, repository / "templates" / "managed_server")


def git(folder: Path, *arguments: str) -> str:
    """What git prints about the repository."""
    return subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True, check=True).stdout.strip()


def test_the_example_is_one_commit_on_main_with_an_annotated_v1(tmp_path: Path) -> None:
    commit = write_example(tmp_path / "new")

    assert git(tmp_path / "new", "rev-parse", "main", "v1^{commit}").split() == [commit, commit]
    assert git(tmp_path / "new", "cat-file", "-t", "v1") == "tag"
    assert git(tmp_path / "new", "rev-list", "--count", "--all") == "1"
    assert git(tmp_path / "new", "status", "--porcelain") == ""


def test_all_scripts_of_the_example_are_executable_and_nothing_else_is(repository: Path) -> None:
    modes = {
        path: mode
        for mode, _, _, path in (line.split() for line in git(repository, "ls-tree", "-r", "v1").splitlines())
    }

    assert {path for path in modes if path.endswith(".sh")} == {path for path in modes if modes[path] == "100755"}
    assert sum(mode == "100755" for mode in modes.values()) == 5
    assert set(modes.values()) == {"100644", "100755"}


def test_the_author_is_whom_git_knows_or_else_the_example(tmp_path: Path) -> None:
    write_example(tmp_path / "nobody")
    assert git(tmp_path / "nobody", "log", "-1", "--format=%an <%ae>") == "Pointsman Example <example@localhost>"

    config = tmp_path / "config"
    config.mkdir()
    (config / ".gitconfig").write_text("[user]\n\tname = Ada Lovelace\n\temail = ada@example.com\n", "utf-8")
    before = pygit2.settings.search_path[pygit2.enums.ConfigLevel.GLOBAL]
    pygit2.settings.search_path[pygit2.enums.ConfigLevel.GLOBAL] = str(config)
    try:
        write_example(tmp_path / "ada")
    finally:
        pygit2.settings.search_path[pygit2.enums.ConfigLevel.GLOBAL] = before
    assert git(tmp_path / "ada", "log", "-1", "--format=%an <%ae>") == "Ada Lovelace <ada@example.com>"


def test_a_folder_that_holds_something_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine\n", "utf-8")

    with pytest.raises(Refused) as refused:
        write_example(tmp_path)

    assert refused.value.says == f"the folder {tmp_path} is not empty: it holds notes.txt; nothing was written"
    assert refused.value.hint
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_what_is_no_folder_or_cannot_be_one_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(Refused, match="it is no folder"):
        write_example(tmp_path / "file")
    with pytest.raises(Refused, match="cannot be written"):
        write_example(tmp_path / "file" / "below")


def test_init_says_where_it_is_and_what_to_type(tmp_path: Path) -> None:
    end = CliRunner().invoke(init, [str(tmp_path / "a b")])

    assert end.exit_code == 0
    assert end.stdout.startswith(f"hello_world is in {tmp_path / 'a b'}: branch main, tag v1, commit ")
    for typed in (
        f"  cd '{tmp_path / 'a b'}'",
        "  pointsman validate",
        "  pointsman plan rollout-pipeline",
        "  pointsman serve .",
    ):
        assert typed in end.stdout


def test_the_example_is_valid_and_its_pipeline_has_17_steps(repository: Path) -> None:
    """`R40`: the seed's complete pipeline; `R34`: its fan-out, one wrapper and three children."""
    reading = Reading(repository)
    commit = reading.resolve("v1")

    assert reading.judge(commit, {"*": "1"}).problems == ()
    counts = {}
    for name, properties in (("rollout-pipeline", {}), ("backup-environment", {"env": "dev"}), ("backup-all", {})):
        draft = PlanQuestion(
            workflow=f"{WORKFLOWS}/{name}", inventory=commit, draft=commit, properties=dict(properties)
        )
        plan = reading.plan(draft).plan
        counts[name] = len(plan.steps) if plan else None
    assert counts["rollout-pipeline"] == 17
    assert counts["backup-environment"] == 2
    assert counts["backup-all"]


@pytest.mark.parametrize("name", ["parallel-targets", "approval", "composition"])
def test_the_other_examples_have_no_problem(name: str) -> None:
    loaded = assemble(working_tree(EXAMPLES / name))

    assert [str(problem) for problem in loaded.problems] == []
    assert loaded.workflows


def test_a_disk_within_its_threshold_is_measured_and_passes(server: Server) -> None:
    end = server.run("./disk_check.sh", "100")

    assert (end.returncode, end.stderr) == (0, "")
    assert "the threshold is 100 %" in end.stdout
    assert 0 <= int(server.outputs["full_percent"]) <= 100
    assert int(server.outputs["free_kib"]) > 0


def test_a_disk_over_its_threshold_fails_with_a_sentence(server: Server) -> None:
    end = server.run("./disk_check.sh", "0")

    assert end.returncode == 1
    assert re.search(
        r"^error: the disk of dev-web-01\.example\.com is \d+ % full, over the threshold of 0 %$",
        end.stderr,
        re.MULTILINE,
    )
    assert "disk_check.disk_threshold in the properties of /projects/hello_world/environments/dev" in end.stderr


def disk_of(server: Server, *, used_gib: int, free_gib: int) -> None:
    """Let `df` tell of another disk than this machine has."""
    folder = server.home / "bin"
    folder.mkdir()
    gib = 1024 * 1024
    line = f"/dev/sdx {(used_gib + free_gib) * gib} {used_gib * gib} {free_gib * gib} 50% /"
    (folder / "df").write_text(f"#!/bin/sh\necho Filesystem\necho '{line}'\n", "utf-8")
    (folder / "df").chmod(0o755)
    server.environ["PATH"] = f"{folder}:{os.environ['PATH']}"


@pytest.mark.parametrize(
    ("used_gib", "free_gib", "full"),
    [(1, 1, 50), (1, 99, 1), (18, 2, 90), (1940, 60, 25), (30, 0, 100)],
)
def test_of_what_is_used_at_most_20_gib_count(server: Server, used_gib: int, free_gib: int, full: int) -> None:
    disk_of(server, used_gib=used_gib, free_gib=free_gib)

    assert server.run("./disk_check.sh", str(full)).returncode == 0
    assert server.run("./disk_check.sh", str(full - 1)).returncode == 1


def test_a_threshold_that_is_no_number_is_named(server: Server) -> None:
    assert server.run("./disk_check.sh", "much").stderr.startswith("error: the threshold is 'much'\n")


def test_a_backup_is_a_dump_with_its_checksum(server: Server) -> None:
    end = server.run("./backup.sh")

    assert (end.returncode, end.stderr) == (0, "")
    dump = Path(server.outputs["file"])
    assert dump.parent == server.state / "backups"
    assert hashlib.sha256(dump.read_bytes()).hexdigest() == server.outputs["sha256"]
    assert dump.stat().st_size == int(server.outputs["size"])
    assert f"sha256  {server.outputs['sha256']}" in end.stdout
    checked = subprocess.run(
        ["sha256sum", "-c", f"{dump.name}.sha256"], cwd=dump.parent, capture_output=True, check=False
    )
    assert checked.returncode == 0
    with tarfile.open(dump) as archive:
        data = archive.extractfile("data/deployments.tsv")
        assert data is not None
        assert data.read() == (server.state / "data" / "deployments.tsv").read_bytes()


def test_the_last_five_backups_are_kept_each_with_its_checksum(server: Server) -> None:
    made = []
    for _ in range(7):
        assert server.run("./backup.sh").returncode == 0
        made.append(Path(server.outputs["file"]).name)

    expected = sorted([*made[-5:], *(f"{name}.sha256" for name in made[-5:])])
    assert sorted(path.name for path in (server.state / "backups").iterdir()) == expected


def test_configure_writes_the_page_of_its_server_and_is_idempotent(server: Server) -> None:
    first = server.run("./configure.sh")
    page = (server.state / "site" / "index.html").read_text("utf-8")
    second = server.run("./configure.sh")

    assert (first.returncode, first.stdout.count("written:")) == (0, 2)
    assert "This is dev-web-01.example.com (dev), configured by version 1." in page
    assert (second.returncode, second.stdout.count("unchanged:")) == (0, 2)


def test_start_answers_over_http_records_it_and_leaves_no_server(server: Server) -> None:
    server.run("./configure.sh")
    end = server.run("./start.sh")

    assert (end.returncode, end.stderr) == (0, "")
    assert re.search(r"^GET / → HTTP/1\.. 200 OK$", end.stdout, re.MULTILINE)
    assert "This is dev-web-01.example.com" in end.stdout
    with pytest.raises(ConnectionRefusedError), socket.create_connection(("127.0.0.1", int(server.outputs["port"]))):
        pass
    process = re.search(r"\(process (\d+)\)", end.stdout)
    assert process is not None
    assert not Path(f"/proc/{process[1]}").exists()
    assert (
        (server.state / "data" / "deployments.tsv").read_text("utf-8").splitlines()[-1].endswith("\t1\tabc\topschain")
    )
    assert '"GET / HTTP/1.0" 200' in (server.state / "access.log").read_text("utf-8")


def test_start_without_a_page_says_what_to_run_first(server: Server) -> None:
    end = server.run("./start.sh")

    assert end.returncode == 1
    assert end.stderr.splitlines()[1] == "hint: run its action configure first, or default"


def test_a_web_server_that_does_not_start_is_told_with_its_own_words(server: Server) -> None:
    server.run("./configure.sh")
    broken = server.home / "bin"
    broken.mkdir()
    (broken / "python3").write_text("#!/bin/sh\necho 'no such module' >&2\nexit 3\n", "utf-8")
    (broken / "python3").chmod(0o755)
    server.environ["PATH"] = f"{broken}:{os.environ['PATH']}"

    end = server.run("./start.sh")

    assert (end.returncode, end.stderr.splitlines()[0]) == (1, "error: the web server did not start: no such module")


def test_the_machine_may_say_where_the_servers_are(server: Server, tmp_path: Path) -> None:
    server.environ["HELLO_WORLD_STATE"] = str(tmp_path / "elsewhere")

    assert server.run("./backup.sh").returncode == 0
    assert list((tmp_path / "elsewhere" / "dev" / "backups").glob("*.tar.gz"))
    assert not server.state.exists()


def test_a_relative_state_folder_is_refused(server: Server) -> None:
    server.environ["STATE_FOLDER"] = "servers"

    assert server.run("./configure.sh").stderr.startswith("error: the state folder servers is relative\n")

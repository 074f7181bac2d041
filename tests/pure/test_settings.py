"""The daemon's own configuration."""

from collections.abc import Mapping
from pathlib import Path

import pytest
from pydantic import ValidationError

from pointsman.model.problem import Code, Invalid, Problem
from pointsman.repo.remote import remote_from
from pointsman.settings import Settings, load_data_directory, load_settings

HOME = {"HOME": "/home/alice", "LOGNAME": "alice"}
EVERY_KEY = """
repository = "/srv/git/ops.git"
data = "/var/lib/pointsman"
listen = "127.0.0.1:8484"
external_url = "https://pointsman.example.com/"
workers = 8
inventory_branch = "trunk"
root = "ops/"
poll_seconds = 0.5
operator = "carol"

[steps]
path = "/opt/bin:/bin"
pass_environment = ["SSH_AUTH_SOCK", "HTTP_PROXY"]
grace_seconds = 3
log_limit_bytes = 1000

[engine]
kind = "local"
"""


def settings(text: str = "", *, folder: Path, environ: Mapping[str, str] | None = None, **flags: object) -> Settings:
    """The settings that a file with this text gives."""
    config = folder / "pointsman.toml"
    config.write_text(text)
    return load_settings(config, {**HOME, **(environ or {})}, flags)


def problems(text: str, *, folder: Path, environ: Mapping[str, str] | None = None, **flags: object) -> list[Problem]:
    """What is wrong with a file of this text."""
    with pytest.raises(Invalid) as invalid:
        settings(text, folder=folder, environ=environ, **flags)
    return list(invalid.value.problems)


def sentences(text: str, *, folder: Path, environ: Mapping[str, str] | None = None, **flags: object) -> list[str]:
    """The sentences about a file of this text."""
    return [problem.says for problem in problems(text, folder=folder, environ=environ, **flags)]


def test_every_key_is_read(tmp_path: Path) -> None:
    read = settings(EVERY_KEY, folder=tmp_path)

    assert (read.repository, read.data) == (Path("/srv/git/ops.git"), Path("/var/lib/pointsman"))
    assert (read.host, read.port, read.is_loopback) == ("127.0.0.1", 8484, True)
    assert read.external_url == "https://pointsman.example.com"
    assert (read.workers, read.inventory_branch, read.root) == (8, "trunk", "ops")
    assert (read.poll_seconds, read.operator) == (0.5, "carol")
    assert read.steps.path == "/opt/bin:/bin"
    assert read.steps.pass_environment == ("SSH_AUTH_SOCK", "HTTP_PROXY")
    assert (read.steps.grace_seconds, read.steps.log_limit_bytes) == (3, 1000)
    assert read.engine.kind == "local"


def test_a_repository_is_all_that_must_be_said() -> None:
    read = load_settings(None, HOME, {"repository": "/srv/ops"})

    assert read.data == Path("/home/alice/.local/state/pointsman")
    assert (read.listen, read.workers, read.inventory_branch) == ("127.0.0.1:8484", 4, "main")
    assert (read.root, read.external_url, read.poll_seconds, read.operator) == ("", "", 10, "alice")
    assert (read.steps.grace_seconds, read.steps.log_limit_bytes) == (10, 67108864)
    assert read.steps.pass_environment == ()


@pytest.mark.parametrize(
    ("state", "data"),
    [("/var/state", "/var/state/pointsman"), ("", "/home/alice/.local/state/pointsman"), ("rel", None)],
)
def test_the_data_directory_follows_xdg(state: str, data: str | None) -> None:
    read = load_settings(None, {**HOME, "XDG_STATE_HOME": state}, {"repository": "/srv/ops"})

    assert read.data == Path(data or "/home/alice/.local/state/pointsman")


def test_flags_win_over_the_environment_and_that_over_the_file(tmp_path: Path) -> None:
    environ = {"POINTSMAN_WORKERS": "3", "POINTSMAN_LISTEN": "127.0.0.1:1", "POINTSMAN_STEPS__GRACE_SECONDS": "2.5"}

    read = settings(EVERY_KEY, folder=tmp_path, environ=environ, listen="127.0.0.1:2", operator=None)

    assert (read.workers, read.port, read.operator) == (3, 2, "carol")
    assert (read.steps.grace_seconds, read.steps.path) == (2.5, "/opt/bin:/bin")


@pytest.mark.parametrize("text", ["A,B", " A , B ", '["A", "B"]'])
def test_a_list_in_the_environment_has_commas_or_is_json(text: str) -> None:
    environ = {**HOME, "POINTSMAN_REPOSITORY": "/srv/ops", "POINTSMAN_STEPS__PASS_ENVIRONMENT": text}

    assert load_settings(None, environ, {}).steps.pass_environment == ("A", "B")


def test_a_relative_path_in_the_file_is_relative_to_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc" / "pointsman.toml").write_text('repository = "../ops.git"\ndata = "state"')
    monkeypatch.chdir(tmp_path)

    read = load_settings(Path("etc/pointsman.toml"), HOME, {})

    assert isinstance(read.repository, Path)
    assert read.repository.resolve() == tmp_path / "ops.git"
    assert read.data == tmp_path / "etc" / "state"


def test_a_relative_path_elsewhere_is_relative_to_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    read = load_settings(None, {**HOME, "POINTSMAN_DATA": "state"}, {"repository": Path("ops")})

    assert (read.repository, read.data) == (tmp_path / "ops", tmp_path / "state")


def test_a_tilde_is_the_home_folder(tmp_path: Path) -> None:
    read = settings('repository = "~/ops"\ndata = "~"', folder=tmp_path)

    assert (read.repository, read.data) == (Path("/home/alice/ops"), Path("/home/alice"))


def test_settings_cannot_be_changed(tmp_path: Path) -> None:
    read = settings(EVERY_KEY, folder=tmp_path)

    with pytest.raises(ValidationError):
        read.workers = 1


@pytest.mark.parametrize(
    ("listen", "host", "port", "loopback"),
    [
        ("127.0.0.1:0", "127.0.0.1", 0, True),
        ("127.8.8.8:80", "127.8.8.8", 80, True),
        ("[::1]:8484", "::1", 8484, True),
        ("[::]:65535", "::", 65535, False),
        ("0.0.0.0:8484", "0.0.0.0", 8484, False),
        ("localhost:8484", "localhost", 8484, True),
        ("ops.example.com:8484", "ops.example.com", 8484, False),
    ],
)
def test_listen_is_a_host_and_a_port(listen: str, host: str, port: int, *, loopback: bool) -> None:
    read = load_settings(None, HOME, {"repository": "/srv/ops", "listen": listen})

    assert (read.host, read.port, read.is_loopback) == (host, port, loopback)


def test_an_unknown_key_is_refused_with_the_nearest(tmp_path: Path) -> None:
    found = problems(EVERY_KEY.replace("workers", "worker"), folder=tmp_path)

    assert [problem.says for problem in found] == ['unknown key "worker" in pointsman.toml; did you mean "workers"?']
    assert (found[0].code, found[0].place.line) == (Code.UNKNOWN_KEY, 6)


def test_a_key_in_the_wrong_table_is_told_where_it_belongs(tmp_path: Path) -> None:
    assert sentences('repository = "r"\ngrace_seconds = 1', folder=tmp_path) == [
        'unknown key "grace_seconds" in pointsman.toml; did you mean "steps.grace_seconds"?'
    ]


def test_a_key_that_is_like_none_lists_the_known_ones(tmp_path: Path) -> None:
    [problem] = problems('repository = "r"\nzzz = 1\n', folder=tmp_path)

    assert problem.says == 'unknown key "zzz" in pointsman.toml'
    assert "inventory_branch" in problem.hint


def test_an_unknown_variable_is_refused_with_the_nearest(tmp_path: Path) -> None:
    assert sentences(EVERY_KEY, folder=tmp_path, environ={"POINTSMAN_WORKER": "3", "POINTSMAN_STEPS__PAHT": ""}) == [
        'unknown environment variable "POINTSMAN_STEPS__PAHT"; did you mean "POINTSMAN_STEPS__PATH"?',
        'unknown environment variable "POINTSMAN_WORKER"; did you mean "POINTSMAN_WORKERS"?',
    ]


def test_variables_of_the_client_and_of_steps_are_passed_over() -> None:
    client = ["SERVER", "TOKEN"]
    step = ["RUN_ID", "RUN_URL", "STEP", "ATTEMPT", "PROJECT", "ENVIRONMENT", "ASSET", "TARGET", "ACTION", "WORKFLOW"]
    step += ["VERSION", "COMMIT", "ACTOR", "PROPERTIES", "CONTEXT", "OUTPUT", "FAULT"]
    environ = {f"POINTSMAN_{name}": "x" for name in client + step}

    load_settings(None, {**HOME, **environ}, {"repository": "/srv/ops"})


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('workers = "many"', 'workers in pointsman.toml is "many"; expected a whole number from 1 to 256'),
        ("workers = true", "workers in pointsman.toml is true; expected a whole number from 1 to 256"),
        ("workers = 4.0", "workers in pointsman.toml is 4.0; expected a whole number from 1 to 256"),
        ("workers = 0", "workers in pointsman.toml is 0; expected a whole number from 1 to 256"),
        ('workers = "4"', 'workers in pointsman.toml is "4"; expected a whole number from 1 to 256'),
        ("poll_seconds = nan", "poll_seconds in pointsman.toml is NaN; expected a number of seconds"),
        ("poll_seconds = 0", "poll_seconds in pointsman.toml is 0; expected a number of seconds"),
        ("data = 5", "data in pointsman.toml is 5; expected the path of a folder"),
        ('data = ""', 'data in pointsman.toml is ""; expected the path of a folder'),
        ('listen = "8484"', 'listen in pointsman.toml is "8484"; expected an address and a port'),
        ('listen = ":8484"', 'listen in pointsman.toml is ":8484"; expected an address and a port'),
        ('listen = "::1:8484"', 'listen in pointsman.toml is "::1:8484"; expected an address and a port'),
        ('listen = "[::g]:1"', 'listen in pointsman.toml is "[::g]:1"; expected an address and a port'),
        ('listen = "a:65536"', 'listen in pointsman.toml is "a:65536"; expected an address and a port'),
        ('external_url = "ftp://a"', 'external_url in pointsman.toml is "ftp://a"; expected an http'),
        ('external_url = "https://a/b"', 'external_url in pointsman.toml is "https://a/b"; expected an http'),
        ('external_url = "https://a:x"', 'external_url in pointsman.toml is "https://a:x"; expected an http'),
        ('external_url = "https://u@a"', 'external_url in pointsman.toml is "https://u@a"; expected an http'),
        ('inventory_branch = "a..b"', 'inventory_branch in pointsman.toml is "a..b"; expected the name of a branch'),
        ('inventory_branch = ""', 'inventory_branch in pointsman.toml is ""; expected the name of a branch'),
        ('root = "../x"', 'root in pointsman.toml is "../x"; expected a folder inside the repository'),
        ('root = "/x"', 'root in pointsman.toml is "/x"; expected a folder inside the repository'),
        ('operator = "system"', 'operator in pointsman.toml is "system"; expected a user name of'),
        ("steps = 4", "steps in pointsman.toml is 4; expected a table"),
        ("steps.path = 4", "steps.path in pointsman.toml is 4; expected absolute folders"),
        ('steps.path = "/bin:"', 'steps.path in pointsman.toml is "/bin:"; expected absolute folders'),
        ('steps.pass_environment = "A"', 'steps.pass_environment in pointsman.toml is "A"; expected a list'),
        ('steps.pass_environment = ["A=1"]', 'steps.pass_environment in pointsman.toml is ["A=1"]; expected a list'),
        ("steps.pass_environment = [1, 2]", "steps.pass_environment in pointsman.toml is [1, 2]; expected a list"),
        ("steps.log_limit_bytes = 0", "steps.log_limit_bytes in pointsman.toml is 0; expected a whole number"),
        ('engine.kind = "locl"', 'engine.kind in pointsman.toml is "locl"; expected "local"'),
        ("[workers]", "workers in pointsman.toml is {}; expected a whole number from 1 to 256"),
    ],
)
def test_a_wrong_value_names_the_key_the_value_and_what_is_expected(tmp_path: Path, line: str, said: str) -> None:
    found = problems(f'repository = "r"\n{line}', folder=tmp_path)

    assert len(found) == 1, "each key is reported once"
    assert found[0].says.startswith(said)
    assert (found[0].code, found[0].place.line) == (Code.WRONG_VALUE, 2)


def test_a_wrong_value_names_the_variable_or_flag_it_came_from(tmp_path: Path) -> None:
    assert sentences(EVERY_KEY, folder=tmp_path, environ={"POINTSMAN_WORKERS": "many"}, listen="here") == [
        '--listen is "here"; expected an address and a port, such as 127.0.0.1:8484 or [::1]:8484',
        'POINTSMAN_WORKERS is "many"; expected a whole number from 1 to 256',
    ]


def test_a_long_value_is_cut(tmp_path: Path) -> None:
    [sentence] = sentences(f'repository = "r"\nlisten = "{"x" * 5000}"', folder=tmp_path)

    assert len(sentence) < 250


def test_all_problems_are_told_at_once(tmp_path: Path) -> None:
    text = 'worker = 3\nlisten = 4\n[auth.ldap]\nurl = "ldap://x"\nbind_dn = "y"\n[steps]\ngrace = 1\n'

    found = sentences(text, folder=tmp_path, environ={"POINTSMAN_POLL_SECONDS": "soon"})

    assert len(found) == 6
    assert any(sentence.startswith("repository is missing in pointsman.toml") for sentence in found)
    assert any(sentence.startswith('POINTSMAN_POLL_SECONDS is "soon"') for sentence in found)
    assert any(sentence.startswith("listen in pointsman.toml is 4") for sentence in found)
    assert 'unknown key "worker" in pointsman.toml; did you mean "workers"?' in found
    assert "[auth.ldap] is not supported in this version" in found
    assert any(sentence.startswith('unknown key "steps.grace" in pointsman.toml') for sentence in found)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[auth.ldap]\nurl = "ldaps://a"\nca_file = "/x"', "[auth.ldap] is not supported in this version"),
        ('[[hooks]]\nkind = "github"\n[[hooks]]\nkind = "gitea"', "[[hooks]] is not supported in this version"),
        ('[status]\nkind = "github"', "[status] is not supported in this version"),
        ('[machines.ci]\nsecret_file = "/x"', "[machines] is not supported in this version"),
        ('[secrets]\ndirectory = "/x"', "[secrets] is not supported in this version"),
        ('[notify]\nurls_file = "/x"', "[notify] is not supported in this version"),
        ('[steps]\nrun_as_user = "x"', "steps.run_as_user is not supported in this version"),
        (
            '[engine]\nkind = "temporal"',
            'engine.kind in pointsman.toml is "temporal", which is not supported in this version',
        ),
    ],
)
def test_what_a_later_version_brings_is_refused_in_one_sentence(tmp_path: Path, text: str, said: str) -> None:
    found = problems(f'repository = "r"\n{text}', folder=tmp_path)

    assert [(problem.says, problem.code) for problem in found] == [(said, Code.UNSUPPORTED)]
    assert found[0].place.line > 1


def test_a_later_versions_variable_is_refused_like_its_table() -> None:
    with pytest.raises(Invalid) as invalid:
        load_settings(None, {**HOME, "POINTSMAN_AUTH__LDAP__URL": "ldaps://a"}, {"repository": "r"})

    assert [problem.says for problem in invalid.value.problems] == ["[auth.ldap] is not supported in this version"]


@pytest.mark.parametrize(
    "url", ["https://example.com/ops.git", "ssh://git@example.com:2222/ops.git", "git@example.com:ops.git", "file:///x"]
)
def test_a_url_is_mirrored_into_the_data_directory(tmp_path: Path, url: str) -> None:
    read = settings("data = '/var/lib/p'", folder=tmp_path, repository=url)

    assert read.repository == remote_from(url)
    assert read.followed == Path("/var/lib/p/mirror.git")


def test_a_url_that_is_refused_is_not_shown(tmp_path: Path) -> None:
    """Hostile 56."""
    url = "https://u:secret@example.com/ops.git"
    words = "the URL has a password in it, which lists of processes would show"
    assert sentences(f'repository = "{url}"', folder=tmp_path) == [f"repository in pointsman.toml: {words}"]
    assert sentences("", folder=tmp_path, repository=url) == [f"REPOSITORY: {words}"]


@pytest.mark.parametrize(("text", "line"), [("a = 1\nb = [1,\nc = }", 3), ("a = 1\na = 2\n", 2)])
def test_what_is_no_toml_is_told_with_its_line(tmp_path: Path, text: str, line: int) -> None:
    [problem] = problems(text, folder=tmp_path)

    assert problem.code is Code.SYNTAX
    assert problem.place.line == line
    assert problem.says.startswith(f"line {line} of pointsman.toml is no TOML: ")


def test_a_file_that_is_not_utf8_is_told_with_its_line(tmp_path: Path) -> None:
    config = tmp_path / "pointsman.toml"
    config.write_bytes(b"workers = 4\nroot = '\xff'\n")

    with pytest.raises(Invalid) as invalid:
        load_settings(config, HOME, {})

    assert invalid.value.problems[0].says == "line 2 of pointsman.toml is no TOML: it is not UTF-8"


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    config = tmp_path / "absent.toml"

    with pytest.raises(Invalid) as invalid:
        load_settings(config, HOME, {})

    assert [problem.says for problem in invalid.value.problems] == [f"cannot read {config}: No such file or directory"]


def test_without_a_repository_the_ways_to_give_one_are_told() -> None:
    with pytest.raises(Invalid) as invalid:
        load_settings(None, HOME, {})

    [problem] = invalid.value.problems
    assert problem.says == "repository is missing: there is nothing to serve"
    assert "POINTSMAN_REPOSITORY" in problem.hint


def test_a_login_name_that_is_no_user_name_does_not_become_the_operator() -> None:
    environ = {**HOME, "LOGNAME": "system", "USER": "b ob"}

    assert load_settings(None, environ, {"repository": "r"}).operator not in ("system", "b ob")


def test_the_data_directory_can_be_asked_for_without_a_repository(tmp_path: Path) -> None:
    assert load_data_directory(None, HOME, {"data": tmp_path}) == tmp_path
    assert load_data_directory(None, HOME, {}) == Path("/home/alice/.local/state/pointsman")


def test_the_data_directory_alone_does_not_hide_what_is_wrong() -> None:
    with pytest.raises(Invalid) as invalid:
        load_data_directory(None, {**HOME, "POINTSMAN_WORKERS": "0"}, {})

    assert "POINTSMAN_WORKERS" in str([problem.says for problem in invalid.value.problems])

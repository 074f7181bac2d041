"""`pointsman user`, `pointsman token` and the configuration of `pointsman serve`."""

import time
from pathlib import Path

from click.testing import CliRunner, Result

from pointsman.access.login import Login
from pointsman.cli.main import cli
from pointsman.engine.accounts import StoredAccounts
from pointsman.store.database import Database


def done(*words: str, given: str = "", **environ: str) -> Result:
    """What a command comes to with this standard input."""
    return CliRunner().invoke(cli, words, input=given, env=environ)


def test_a_user_that_was_added_can_log_in_and_has_tokens_until_they_expire(tmp_path: Path) -> None:
    data = ("--data", str(tmp_path / "data"))
    added = done("user", "add", "Zoe", "--password-stdin", *data, given="correct horse\n")
    assert (added.exit_code, added.stdout) == (0, "")

    made = done("token", "create", "--user", "zoe", "--expires", "90d", "-q", *data)

    assert made.exit_code == 0
    assert made.stderr == ""
    database = Database(tmp_path / "data/state.db")
    login, now = Login(StoredAccounts(database)), time.time()
    assert login.login("zoe", "correct horse", "here", now).name == "Zoe"
    token = made.stdout.strip()
    for later, name in ((89, "Zoe"), (91, None)):
        actor = login.actor_of_token(token, now + later * 86_400)
        assert (actor and actor.name) == name
    database.close()


def test_a_token_of_nobody_is_refused_and_so_is_a_name_that_is_taken(tmp_path: Path) -> None:
    data = ("--data", str(tmp_path))
    assert done("token", "create", "--user", "zoe", *data).exit_code == 6
    assert done("user", "add", "zoe", "--password-stdin", *data, given="correct horse").exit_code == 0
    assert done("user", "add", "ZOE", "--password-stdin", *data, given="correct horse").exit_code == 7
    assert done("user", "add", "max", "--password-stdin", *data, given="short").exit_code == 1
    assert done("token", "create", "--user", "zoe", "--expires", "soon", *data).exit_code == 2
    assert done("user", "add", "max", *data).exit_code == 2


def test_the_data_directory_may_be_named_by_the_environment_or_a_file(tmp_path: Path) -> None:
    config = tmp_path / "pointsman.toml"
    config.write_text('data = "state"\n')
    words = ("user", "add", "zoe", "--password-stdin")
    assert done(*words, given="correct horse", POINTSMAN_CONFIG=str(config)).exit_code == 0
    assert (tmp_path / "state/state.db").exists()
    assert done(*words, given="correct horse", POINTSMAN_DATA=str(tmp_path / "other")).exit_code == 0
    assert (tmp_path / "other/state.db").exists()


def test_everything_that_is_wrong_with_the_configuration_is_said_at_once(tmp_path: Path) -> None:
    result = done("serve", "--listen", "nowhere", "--workers", "0", "--data", str(tmp_path))
    assert result.exit_code == 1
    assert '--listen is "nowhere"' in result.stderr
    assert '--workers is "0"' in result.stderr
    assert "repository is missing" in result.stderr


def test_a_repository_that_is_none_is_told_before_anything_is_written(tmp_path: Path) -> None:
    result = done("serve", str(tmp_path), "--data", str(tmp_path / "data"))
    assert result.exit_code == 6
    assert not (tmp_path / "data").exists()

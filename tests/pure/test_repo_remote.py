"""Which URLs git may be given, and how they are shown."""

from pathlib import Path

import pytest

from pointsman.model.problem import Invalid
from pointsman.repo.remote import is_url, remote_from


@pytest.mark.parametrize(
    ("url", "shown", "protocols"),
    [
        ("https://example.com/ops.git", "https://example.com/ops.git", ("https",)),
        ("http://example.com:8080/a/b", "http://example.com:8080/a/b", ("http", "https")),
        ("https://ghp_0123@example.com/ops.git", "https://…@example.com/ops.git", ("https",)),
        ("ssh://git@example.com:2222/ops.git", "ssh://git@example.com:2222/ops.git", ("ssh",)),
        ("ssh://[::1]/ops.git", "ssh://[::1]/ops.git", ("ssh",)),
        ("git@example.com:team/ops.git", "git@example.com:team/ops.git", ("ssh",)),
        ("file:///srv/git/ops.git", "file:///srv/git/ops.git", ("file",)),
    ],
)
def test_a_url_says_what_git_may_speak_and_shows_no_token(url: str, shown: str, protocols: tuple[str, ...]) -> None:
    """Hostile 56."""
    remote = remote_from(url)

    assert is_url(url)
    assert (remote.url, remote.shown, remote.protocols) == (url, shown, protocols)
    assert remote.path == (Path("/srv/git/ops.git") if url.startswith("file") else None)


@pytest.mark.parametrize(
    ("url", "word"),
    [
        ("ext::sh -c 'touch /tmp/x'", "space"),
        ("ext::sh%20-c", "would start a program"),
        ("file::/srv/git", "would start a program"),
        ("ssh://-oProxyCommand=touch%20x/ops", "no proper host"),
        ("ssh://git@-oProxyCommand=x/ops", "no proper host"),
        ("ssh://-oProxyCommand=x@example.com/ops", "the user in the URL"),
        ("-oProxyCommand=x@example.com:ops", "the user in the URL"),
        ("git@-oProxyCommand=x:ops", "no proper host"),
        ("git@example.com:-x", "begins with '-'"),
        ("git@example.com:", "names no repository"),
        ("git://example.com/ops", "git:// cannot be mirrored"),
        ("ftp://example.com/ops", "ftp:// cannot be mirrored"),
        ("https://u:secret@example.com/ops.git", "has a password in it"),
        ("https://example.com/ops?token=secret", "'?' or '#'"),
        ("https://example.com", "no repository on it"),
        ("https:///ops", "no proper host"),
        ("https://ex%2dample.com/ops", "no proper host"),
        ("https://example.com:99999/ops", "no proper host and port"),
        ("https://[::1/ops", "no proper host and port"),
        ("file://example.com/ops", "a folder of this machine"),
        ("https://example.com/o\x1bps", "unprintable"),
        ("https://example.com/" + "x" * 3000, "too long"),
    ],
)
def test_a_url_that_could_do_something_else_is_refused_with_a_sentence(url: str, word: str) -> None:
    """Hostile 56."""
    assert is_url(url)
    with pytest.raises(Invalid, match=word.replace("?", "[?]")) as refused:
        remote_from(url)
    assert "secret" not in f"{refused.value.says} {refused.value.hint}"


@pytest.mark.parametrize(
    "path", ["/srv/git/ops.git", "ops", "./a@b:c", "--upload-pack=touch x", "~/ops", "a:b", "C:/x"]
)
def test_a_path_is_no_url(path: str) -> None:
    """It is made absolute, and can be no option then."""
    assert not is_url(path)

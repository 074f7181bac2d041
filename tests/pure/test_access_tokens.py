"""API tokens, session ids and the proofs of forms."""

import re

import pytest

from pointsman.access.tokens import (
    csrf_matches,
    csrf_token,
    new_session_id,
    new_token,
    parse,
    session_digest,
)

TOKEN = "pm_abcdEF12_" + "a1B" * 14 + "z"


def test_a_new_token_is_parsed_to_its_own_id_and_digest() -> None:
    token = new_token()

    assert re.fullmatch(r"pm_[A-Za-z0-9]{8}_[A-Za-z0-9]{43}", token.text)
    assert parse(token.text) == (token.id, token.digest)
    assert len(token.digest) == 32


def test_a_new_token_does_not_print_itself() -> None:
    token = new_token()

    assert token.text not in repr(token)


@pytest.mark.parametrize(
    "text",
    [
        "",
        TOKEN[:-1],
        TOKEN + "a",
        TOKEN + " ",
        " " + TOKEN,
        TOKEN + "\n",
        TOKEN.upper(),
        TOKEN.replace("pm_", "pn_"),
        TOKEN[:-1] + "-",
        TOKEN[:-1] + "\u0661",
        TOKEN[:-1] + "\ud800",
    ],
)
def test_what_is_not_exactly_one_token_is_none(text: str) -> None:
    assert parse(TOKEN) is not None
    assert parse(text) is None


def test_a_session_id_is_32_random_bytes_and_kept_as_a_digest() -> None:
    one, other = new_session_id(), new_session_id()

    assert one != other
    assert len(one) == 43
    assert len(session_digest(one)) == 32


def test_a_forms_proof_is_good_for_its_session_and_key_alone() -> None:
    proof = csrf_token(b"key", "session")

    assert csrf_matches(b"key", "session", proof)
    assert not csrf_matches(b"key", "other", proof)
    assert not csrf_matches(b"other", "session", proof)


@pytest.mark.parametrize("given", ["", "\u00e9", "\ud800", "0" * 64])
def test_a_forged_proof_of_any_shape_is_no_fault(given: str) -> None:
    assert not csrf_matches(b"key", "session", given)

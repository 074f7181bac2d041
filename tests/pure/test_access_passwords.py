"""Local passwords."""

import pytest

from pointsman.access.passwords import DUMMY, LONGEST, hashed, matches

STORED = hashed("correct horse")


def test_a_password_matches_its_hash_and_no_other() -> None:
    assert matches("correct horse", STORED)
    assert not matches("correct horsf", STORED)
    assert not matches("correct horse ", STORED)


def test_the_same_password_is_never_kept_twice_alike() -> None:
    assert hashed("correct horse") != STORED


def test_the_hash_says_how_it_was_made() -> None:
    assert STORED.startswith("scrypt$32768$8$1$")


def test_a_composed_and_a_decomposed_letter_are_the_same_password() -> None:
    assert matches("stra\u00dfe zu\u0308rich", hashed("stra\u00dfe z\u00fcrich"))


@pytest.mark.parametrize("password", ["", " ", "\t\n  ", "\u00a0" * 9])
def test_an_empty_or_blank_password_is_refused_before_any_work(password: str) -> None:
    """Also where what is stored could not even be read."""
    assert not matches(password, "no hash at all")
    with pytest.raises(ValueError, match="empty or blank"):
        hashed(password)


def test_a_short_password_cannot_be_new() -> None:
    with pytest.raises(ValueError, match="it has 7 characters, at least 8"):
        hashed("seven77")


def test_an_endless_password_is_refused_before_any_work() -> None:
    assert not matches("x" * 10_000_000, "no hash at all")
    assert not matches("x" * (LONGEST + 1), "no hash at all")
    with pytest.raises(ValueError, match="too long"):
        hashed("x" * (LONGEST + 1))


def test_a_lone_surrogate_is_a_wrong_password_and_no_fault() -> None:
    assert not matches("correct\ud800horse", STORED)


def test_nothing_matches_the_dummy_and_it_costs_what_a_user_costs() -> None:
    assert not matches("correct horse", DUMMY)
    assert DUMMY.split("$")[:4] == STORED.split("$")[:4]
    assert len(DUMMY) == len(STORED)


def test_what_is_stored_and_is_no_hash_is_a_fault() -> None:
    with pytest.raises(ValueError, match="no password hash"):
        matches("correct horse", "md5$0")

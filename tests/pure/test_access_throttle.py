"""How guessing is slowed down."""

import pytest

from pointsman.access.throttle import ACCOUNT, ADDRESS, FORGOTTEN_AFTER_SECONDS, Throttle, network


def attempts(throttle: Throttle, *, account: str, address: str, until: float, every: float = 0.5) -> int:
    """How many of the attempts made in this time were looked at; all of them fail."""
    times = [step * every for step in range(int(until / every))]
    return sum(throttle.begin(account, address, now) == 0 for now in times)


def test_the_first_failures_cost_nothing_and_then_each_doubles_the_wait() -> None:
    throttle = Throttle()

    waits = [throttle.begin("alice", "192.0.2.1", 0.0) for _ in range(4)]

    assert waits == [0, 0, 0, 1]
    assert throttle.begin("alice", "192.0.2.1", 1.0) == 0
    assert throttle.begin("alice", "192.0.2.1", 1.0) == 2
    assert throttle.begin("alice", "192.0.2.1", 3.0) == 0
    assert throttle.begin("alice", "192.0.2.1", 3.0) == 4


def test_an_account_is_guarded_against_many_addresses() -> None:
    throttle = Throttle()

    waits = [throttle.begin("alice", f"192.0.2.{number}", 0.0) for number in range(9)]

    assert [wait > 0 for wait in waits] == [False] * 3 + [True] * 6


def test_an_address_is_slowed_over_many_accounts() -> None:
    throttle = Throttle()

    waits = [throttle.begin(f"user{number}", "192.0.2.1", 0.0) for number in range(12)]

    assert [wait > 0 for wait in waits] == [False] * 10 + [True] * 2


def test_a_day_of_guessing_is_few_guesses_and_the_wait_never_passes_its_limit() -> None:
    throttle = Throttle()

    assert attempts(throttle, account="alice", address="192.0.2.1", until=86400, every=1) < 86400 / 50
    assert throttle.begin("alice", "198.51.100.7", 86400.0) <= ACCOUNT.longest_seconds


def test_attempts_that_were_not_looked_at_do_not_make_the_wait_longer() -> None:
    throttle = Throttle()
    for _ in range(100):
        throttle.begin("alice", "192.0.2.1", 0.0)

    assert throttle.begin("alice", "192.0.2.1", 1.0) == 0


def test_success_forgets_the_accounts_failures() -> None:
    throttle = Throttle()
    for _ in range(3):
        throttle.begin("alice", "192.0.2.1", 0.0)
    throttle.begin("alice", "192.0.2.1", 1.0)

    throttle.succeed("alice", "192.0.2.1")

    assert [throttle.begin("alice", "192.0.2.1", 1.0) for _ in range(3)] == [0, 0, 0]


def test_ones_own_account_does_not_pay_for_guessing_at_others() -> None:
    throttle = Throttle()
    for number in range(10):
        throttle.begin(f"user{number}", "192.0.2.1", 0.0)
        if throttle.begin("mallory", "192.0.2.1", 0.0) == 0:
            throttle.succeed("mallory", "192.0.2.1")

    assert throttle.begin("user99", "192.0.2.1", 0.0) > 0


def test_who_guesses_from_elsewhere_cannot_keep_the_owner_out() -> None:
    throttle = Throttle()
    throttle.begin("admin", "192.0.2.1", 0.0)
    throttle.succeed("admin", "192.0.2.1")

    attempts(throttle, account="admin", address="198.51.100.7", until=600)

    assert throttle.begin("admin", "198.51.100.8", 600.0) > 0
    assert throttle.begin("admin", "192.0.2.1", 600.0) == 0


def test_failures_are_forgotten_after_a_while() -> None:
    throttle = Throttle()
    attempts(throttle, account="alice", address="192.0.2.1", until=600)

    later = 600.0 + FORGOTTEN_AFTER_SECONDS

    assert [throttle.begin("alice", "192.0.2.1", later) for _ in range(3)] == [0, 0, 0]


def test_a_clock_that_is_set_back_keeps_nobody_waiting() -> None:
    throttle = Throttle()
    for _ in range(3):
        throttle.begin("alice", "192.0.2.1", 1e9)

    assert throttle.begin("alice", "192.0.2.1", 0.0) == 1
    assert throttle.begin("alice", "192.0.2.1", 1.0) == 0


def test_memory_is_bounded() -> None:
    throttle = Throttle(size=50)
    for number in range(1000):
        throttle.begin(f"user{number}", f"192.0.2.{number % 256}", float(number))
        throttle.succeed(f"user{number}", f"192.0.2.{number % 256}")
        throttle.begin(f"other{number}", f"198.51.100.{number % 256}", float(number))

    assert len(throttle._failures) <= 50
    assert len(throttle._trusted) <= 50


def test_what_can_be_nobodys_name_is_not_one_account_for_all() -> None:
    throttle = Throttle()
    for _ in range(3):
        throttle.begin("", "192.0.2.1", 0.0)

    assert throttle.begin("", "192.0.2.1", 0.0) > 0
    assert throttle.begin("", "192.0.2.2", 0.0) == 0


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8::1", "2001:db8::/64"),
        ("2001:db8::ffff:1", "2001:db8::/64"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("", ""),
        ("x" * 1000, "x" * 64),
    ],
)
def test_one_holder_of_addresses_counts_as_one(address: str, counted: str) -> None:
    assert network(address) == counted


def test_the_delay_of_endless_failures_is_a_number() -> None:
    assert ADDRESS.delay(10**9) == ADDRESS.longest_seconds

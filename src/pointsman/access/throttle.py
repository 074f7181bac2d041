"""How guessing passwords is slowed down, without locking anybody out for good. Pure, but that it remembers."""

import ipaddress
from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock

FORGOTTEN_AFTER_SECONDS = 15 * 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """After `free` failures in a row the next attempt waits a second, then twice that, up to `longest_seconds`."""

    free: int
    longest_seconds: float

    def delay(self, failures: int) -> float:
        """Seconds that must pass after this many failures."""
        # The exponent is capped: two to the number of a day's failures is no float.
        return 0.0 if failures < self.free else min(self.longest_seconds, 2.0 ** min(failures - self.free, 32))


ACCOUNT = Limit(free=3, longest_seconds=30)
ADDRESS = Limit(free=10, longest_seconds=60)


class Throttle:
    """Attempts that failed lately, by account and by address, kept in memory and of bounded size.

    An attempt counts when it begins, so that many at once gain nothing, and is taken back when it succeeds. An address
    from which an account logged in before has its own count for that account: who guesses from elsewhere cannot keep
    its owner out.
    """

    def __init__(self, *, size: int = 10_000) -> None:
        self._size = size
        self._failures: OrderedDict[tuple[str, ...], tuple[int, float]] = OrderedDict()
        self._trusted: OrderedDict[tuple[str, str], None] = OrderedDict()
        self._lock = Lock()

    def begin(self, account: str, address: str, now: float) -> float:
        """Zero if the attempt may go on, and it is counted; else how many seconds are left to wait."""
        place = network(address)
        with self._lock:
            keys = ((self._account_key(account, place), ACCOUNT), (("address", place), ADDRESS))
            wait = max(self._wait(key, limit, now) for key, limit in keys)
            if wait == 0:
                for key, _ in keys:
                    self._count(key, now)
            return wait

    def succeed(self, account: str, address: str) -> None:
        """The attempt was good: the account's failures are forgotten, and the address has one less."""
        place = network(address)
        with self._lock:
            self._failures.pop(self._account_key(account, place), None)
            # Not reset: one account of one's own would pay for guessing at all the others.
            failures, last = self._failures.get(("address", place), (0, 0.0))
            if failures > 1:
                self._failures["address", place] = (failures - 1, last)
            else:
                self._failures.pop(("address", place), None)
            self._trusted[account, place] = None
            self._trusted.move_to_end((account, place))
            if len(self._trusted) > self._size:
                self._trusted.popitem(last=False)

    def _account_key(self, account: str, place: str) -> tuple[str, ...]:
        # What cannot be a user's name arrives as "" and is nobody's account: then only the address tells people apart.
        own = not account or (account, place) in self._trusted
        return ("account", account, place) if own else ("account", account)

    def _wait(self, key: tuple[str, ...], limit: Limit, now: float) -> float:
        failures, last = self._failures.get(key, (0, now))
        if last > now:
            # The clock was set back; nobody waits until it is there again.
            last = now
            self._failures[key] = (failures, last)
        passed = now - last
        return 0.0 if passed >= FORGOTTEN_AFTER_SECONDS else max(0.0, limit.delay(failures) - passed)

    def _count(self, key: tuple[str, ...], now: float) -> None:
        failures, last = self._failures.get(key, (0, now))
        kept = 0 if now - last >= FORGOTTEN_AFTER_SECONDS else failures
        self._failures[key] = (kept + 1, now)
        self._failures.move_to_end(key)
        if len(self._failures) > self._size:
            self._failures.popitem(last=False)


def network(address: str) -> str:
    """What counts as one address: an IPv4 address, or the /64 that one holder of IPv6 has at will."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return address[:64]
    if isinstance(ip, ipaddress.IPv4Address):
        return str(ip)
    mapped = ip.ipv4_mapped
    return str(mapped) if mapped else str(ipaddress.IPv6Network((int(ip), 64), strict=False))

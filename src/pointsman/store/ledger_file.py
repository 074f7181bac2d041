"""The ledger of a daemon that is running or not, read from outside without changing anything."""

import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from pointsman.model.problem import Unavailable
from pointsman.store.sql import queries
from pointsman.store.versions import LedgerRow


def ledger_in(data: Path) -> list[LedgerRow] | None:
    """Every row of the ledger in a data directory; None if no daemon has begun one there.

    `Unavailable` if it is there and cannot be read.
    """
    file = data / "state.db"
    try:
        if not file.exists():
            data.stat()
            return None
        # without a log beside it nothing writes; then it can be read where no file may be made
        mode = "mode=ro" if file.with_name("state.db-wal").exists() else "immutable=1"
        with closing(sqlite3.connect(f"file:{quote(str(file.absolute()))}?{mode}", uri=True)) as connection:
            connection.row_factory = sqlite3.Row
            found = connection.execute(queries("versions")["ledger"]).fetchall()
    except (OSError, sqlite3.Error) as error:
        raise Unavailable(
            f"the ledger in {data} cannot be read: {error}",
            hint="the hook must run as a user who may read the daemon's data directory",
        ) from error
    return [LedgerRow(**{name: entry[name] for name in LedgerRow.__slots__}) for entry in found]

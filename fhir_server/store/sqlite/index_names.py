"""Small numbers for what index rows repeat: search parameters of a type, systems, display texts.

A number, once committed, never changes, so every connection may remember it; one that a rolled back transaction gave
out must be forgotten. Number 0 is the empty system.
"""

from sqlite3 import Connection, Cursor

from fhir_server.search.rows import FiledRow

# Systems and texts come from resources, so their caches are bounded; a cache that is full starts anew.
NAMES_MAX = 20_000

# In place of a patient's number.
NO_OWNER = 0
SEVERAL_OWNERS = -1


class IndexNames:
    """What one thread knows of the numbers of one database."""

    def __init__(self) -> None:
        self._params: dict[tuple[int, str], int] = {}
        self._filed: set[tuple[int, str]] = set()
        self._several_dates: set[int] = set()
        self._systems: dict[str, int] = {"": 0}
        self._texts: dict[str, int] = {}
        self._filed_values: dict[FiledRow, int] = {}
        # Type number → (greatest rid at the time, resources then), for the planner, who need not know exactly.
        self.populations: dict[int, tuple[int, int]] = {}

    def forget(self) -> None:
        """After a rollback: numbers given out in it were never stored."""
        self._params.clear()
        self._filed.clear()
        self._several_dates.clear()
        self._systems = {"": 0}
        self._texts.clear()
        self._filed_values.clear()

    def param(self, connection: Connection | Cursor, type_num: int, code: str) -> int | None:
        """None if no resource of the type was ever indexed by the parameter."""
        num = self._params.get((type_num, code))
        if num is None:
            row = connection.execute("SELECT num FROM param WHERE type = ? AND code = ?", (type_num, code)).fetchone()
            if row is not None:
                num = self._params[type_num, code] = row[0]
        return num

    def system(self, connection: Connection | Cursor, value: str) -> int | None:
        """None if no row has the system."""
        num = self._systems.get(value)
        if num is None:
            row = connection.execute("SELECT num FROM system WHERE value = ?", (value,)).fetchone()
            if row is not None:
                num = row[0]
                self._keep(self._systems, value, num)
        return num

    def filed_num(self, connection: Connection | Cursor, kind: str, value: str) -> int | None:
        """None if nothing was ever filed under it."""
        row = connection.execute("SELECT num FROM filed_value WHERE kind = ? AND value = ?", (kind, value)).fetchone()
        return None if row is None else int(row[0])

    def tables(self, connection: Connection | Cursor, param: int) -> list[str]:
        """The index tables in which rows of the parameter were ever filed."""
        return [name for (name,) in connection.execute("SELECT name FROM param_table WHERE param = ?", (param,))]

    def several_dates(self, connection: Connection | Cursor, param: int) -> bool:
        """Whether any resource ever had more than one date by the parameter."""
        if param not in self._several_dates:
            if connection.execute("SELECT 1 FROM several_dates WHERE param = ?", (param,)).fetchone() is None:
                return False
            self._several_dates.add(param)
        return True

    def note_several_dates(self, cursor: Cursor, param: int) -> None:
        if not self.several_dates(cursor, param):
            cursor.execute("INSERT INTO several_dates (param) VALUES (?)", (param,))

    def intern_param(self, cursor: Cursor, type_num: int, code: str, table: str) -> int:
        """The number of the parameter, a new one if need be, noting that `table` has rows of it."""
        num = self._params.get((type_num, code))
        if num is None:
            cursor.execute("INSERT OR IGNORE INTO param (type, code) VALUES (?, ?)", (type_num, code))
            num = self.param(cursor, type_num, code)
            assert num is not None
        if (num, table) not in self._filed:
            cursor.execute("INSERT OR IGNORE INTO param_table (param, name) VALUES (?, ?)", (num, table))
            self._filed.add((num, table))
        return num

    def intern_system(self, cursor: Cursor, value: str) -> int:
        num = self._systems.get(value)
        if num is None:
            cursor.execute("INSERT OR IGNORE INTO system (value) VALUES (?)", (value,))
            num = self.system(cursor, value)
            assert num is not None
        return num

    def intern_text(self, cursor: Cursor, value: str) -> int:
        num = self._texts.get(value)
        if num is None:
            cursor.execute("INSERT OR IGNORE INTO display (value) VALUES (?)", (value,))
            (num,) = cursor.execute("SELECT num FROM display WHERE value = ?", (value,)).fetchone()
            self._keep(self._texts, value, num)
        return num

    def intern_filed(self, cursor: Cursor, row: FiledRow) -> int:
        num = self._filed_values.get(row)
        if num is None:
            # During an import most of what is not remembered is new.
            cursor.execute("INSERT INTO filed_value (kind, value) VALUES (?, ?) ON CONFLICT DO NOTHING", row)
            num = cursor.lastrowid if cursor.rowcount else self.filed_num(cursor, *row)
            assert num is not None
            if len(self._filed_values) >= NAMES_MAX:
                self._filed_values.clear()
            self._filed_values[row] = num
        return num

    def _keep(self, cache: dict[str, int], value: str, num: int) -> None:
        if len(cache) >= NAMES_MAX:
            cache.clear()
            if cache is self._systems:
                cache[""] = 0
        cache[value] = num

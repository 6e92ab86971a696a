"""Small numbers for what repeats in every row: type names and patients.

A number, once committed, never changes, so every connection may remember it; one that a rolled back transaction gave
out must be forgotten.
"""

from sqlite3 import Connection

from fhir_server.store.sqlite.index_names import IndexNames
from fhir_server.store.sqlite.judges import Judges

# Enough for the patients that are being worked on; a cache that is full starts anew.
PATIENTS_MAX = 20_000


class Names(IndexNames):
    """What one thread knows of the numbers. Number 0 means that the database has none for the name."""

    def __init__(self) -> None:
        super().__init__()
        self._type_nums: dict[str, int] = {}
        self._types: dict[int, str] = {}
        self._owner_nums: dict[str, int] = {}
        self._patients: dict[int, str] = {}
        self.judges = Judges(self)

    def forget(self) -> None:
        """After a rollback: numbers given out in it were never stored."""
        super().forget()
        for cache in (self._type_nums, self._types, self._owner_nums, self._patients):
            cache.clear()
        self.judges.forget()

    def type_num(self, connection: Connection, name: str) -> int:
        num = self._type_nums.get(name)
        if num is None:
            row = connection.execute("SELECT num FROM type_name WHERE name = ?", (name,)).fetchone()
            if row is None:
                return 0
            num = self._type_nums[name] = row[0]
        return num

    def type_name(self, connection: Connection, num: int) -> str:
        name = self._types.get(num)
        if name is None:
            (name,) = connection.execute("SELECT name FROM type_name WHERE num = ?", (num,)).fetchone()
            self._types[num] = name
        return name

    def owner_num(self, connection: Connection, patient: str) -> int:
        num = self._owner_nums.get(patient)
        if num is None:
            row = connection.execute("SELECT num FROM owner WHERE patient = ?", (patient,)).fetchone()
            if row is None:
                return 0
            num = row[0]
            self._remember(num, patient)
        return num

    def patient(self, connection: Connection, num: int) -> str:
        patient = self._patients.get(num)
        if patient is None:
            (patient,) = connection.execute("SELECT patient FROM owner WHERE num = ?", (num,)).fetchone()
            self._remember(num, patient)
        return patient

    def intern_type(self, connection: Connection, name: str) -> int:
        """The number of the type, a new one if need be; within a write transaction."""
        num = self.type_num(connection, name)
        if not num:
            connection.execute("INSERT INTO type_name (name) VALUES (?)", (name,))
            num = self.type_num(connection, name)
        return num

    def intern_owner(self, connection: Connection, patient: str) -> int:
        """The number of the patient, a new one if need be; within a write transaction."""
        num = self.owner_num(connection, patient)
        if not num:
            connection.execute("INSERT INTO owner (patient) VALUES (?)", (patient,))
            num = self.owner_num(connection, patient)
        return num

    def _remember(self, num: int, patient: str) -> None:
        if len(self._patients) >= PATIENTS_MAX:
            self._patients.clear()
            self._owner_nums.clear()
        self._patients[num] = patient
        self._owner_nums[patient] = num

"""The index tables: one table per kind of row, laid out so that what a search asks is one seek.

Every row carries the owner number of its resource (0 nobody, -1 several patients). A value leads, then owner, then
rid: `code=Y` of one patient is one seek, and over all patients it is a walk in the store's default order (owner, rid).
Ranges (date, number, quantity) are kept by rid with extra indexes by value, because they are mostly filters.
https://hl7.org/fhir/R4/search.html#ptypes, https://www.sqlite.org/withoutrowid.html
"""

import re
import unicodedata
from collections.abc import Callable
from sqlite3 import Cursor

from fhir_server.search.rows import IndexRows, ReferenceRow
from fhir_server.store.sqlite import filed
from fhir_server.store.sqlite.index_names import IndexNames

# A narrow date row spans at most a day (25 hours when the clock is put back): a seek by its start finds its end nearby.
NARROW_US = 25 * 3600 * 1_000_000

DDL = f"""
CREATE TABLE param (
  num INTEGER PRIMARY KEY, type INTEGER NOT NULL, code TEXT NOT NULL, UNIQUE (type, code));
CREATE TABLE param_table (param INTEGER NOT NULL, name TEXT NOT NULL, PRIMARY KEY (param, name)) WITHOUT ROWID;
CREATE TABLE several_dates (param INTEGER PRIMARY KEY);
CREATE TABLE system (num INTEGER PRIMARY KEY, value TEXT NOT NULL UNIQUE);
CREATE TABLE display (num INTEGER PRIMARY KEY, value TEXT NOT NULL UNIQUE);

CREATE INDEX resource_walk ON resource (type, owner, rid, updated) WHERE deleted = 0;
CREATE INDEX resource_updated ON resource (type, updated, owner, rid) WHERE deleted = 0;

CREATE TABLE coding (
  param INTEGER NOT NULL, folded TEXT NOT NULL, owner INTEGER NOT NULL, rid INTEGER NOT NULL,
  system INTEGER NOT NULL, code TEXT NOT NULL, grp INTEGER NOT NULL,
  PRIMARY KEY (param, folded, owner, rid, system, code, grp)) WITHOUT ROWID;
CREATE INDEX coding_rid ON coding (rid, param);

CREATE TABLE coding_text (
  param INTEGER NOT NULL, display INTEGER NOT NULL, owner INTEGER NOT NULL, rid INTEGER NOT NULL,
  PRIMARY KEY (param, display, owner, rid)) WITHOUT ROWID;
CREATE INDEX coding_text_rid ON coding_text (rid, param);

CREATE TABLE of_type (
  param INTEGER NOT NULL, value TEXT NOT NULL, owner INTEGER NOT NULL, rid INTEGER NOT NULL,
  system INTEGER NOT NULL, code TEXT NOT NULL,
  PRIMARY KEY (param, value, owner, rid, system, code)) WITHOUT ROWID;
CREATE INDEX of_type_rid ON of_type (rid);

CREATE TABLE uri (
  param INTEGER NOT NULL, value TEXT NOT NULL, owner INTEGER NOT NULL, rid INTEGER NOT NULL, grp INTEGER NOT NULL,
  PRIMARY KEY (param, value, owner, rid, grp)) WITHOUT ROWID;
CREATE INDEX uri_rid ON uri (rid, param);

CREATE TABLE reference (
  param INTEGER NOT NULL, target_id TEXT NOT NULL, target_type TEXT NOT NULL, owner INTEGER NOT NULL,
  rid INTEGER NOT NULL, grp INTEGER NOT NULL, version TEXT NOT NULL,
  PRIMARY KEY (param, target_id, target_type, owner, rid, grp, version)) WITHOUT ROWID;
CREATE INDEX reference_rid ON reference (rid, param);

CREATE TABLE reference_url (
  param INTEGER NOT NULL, url TEXT NOT NULL, owner INTEGER NOT NULL, rid INTEGER NOT NULL,
  grp INTEGER NOT NULL, version TEXT NOT NULL, target_type TEXT NOT NULL,
  PRIMARY KEY (param, url, owner, rid, grp, version, target_type)) WITHOUT ROWID;
CREATE INDEX reference_url_rid ON reference_url (rid, param);

CREATE TABLE reference_identifier (
  param INTEGER NOT NULL, value TEXT NOT NULL, owner INTEGER NOT NULL, rid INTEGER NOT NULL,
  grp INTEGER NOT NULL, system INTEGER NOT NULL,
  PRIMARY KEY (param, value, owner, rid, grp, system)) WITHOUT ROWID;
CREATE INDEX reference_identifier_rid ON reference_identifier (rid, param);

CREATE TABLE string (
  rid INTEGER NOT NULL, param INTEGER NOT NULL, normal TEXT NOT NULL, exact TEXT NOT NULL, grp INTEGER NOT NULL,
  owner INTEGER NOT NULL,
  PRIMARY KEY (rid, param, normal, exact, grp)) WITHOUT ROWID;
CREATE INDEX string_normal ON string (param, normal, owner, rid) WHERE grp = 0;
CREATE INDEX string_exact ON string (param, exact, owner, rid) WHERE grp = 0;

CREATE TABLE number (
  rid INTEGER NOT NULL, param INTEGER NOT NULL, low REAL NOT NULL, high REAL NOT NULL, grp INTEGER NOT NULL,
  owner INTEGER NOT NULL,
  PRIMARY KEY (rid, param, low, high, grp)) WITHOUT ROWID;
CREATE INDEX number_low ON number (param, low, owner, rid) WHERE grp = 0;
CREATE INDEX number_wide ON number (param, high, owner, rid) WHERE grp = 0 AND high > low;

CREATE TABLE date (
  rid INTEGER NOT NULL, param INTEGER NOT NULL, low INTEGER NOT NULL, high INTEGER NOT NULL, grp INTEGER NOT NULL,
  owner INTEGER NOT NULL,
  PRIMARY KEY (rid, param, low, high, grp)) WITHOUT ROWID;
CREATE INDEX date_owner ON date (param, owner, low, rid) WHERE grp = 0;
CREATE INDEX date_low ON date (param, low, owner, rid) WHERE grp = 0;
CREATE INDEX date_wide ON date (param, high, owner, rid) WHERE grp = 0 AND high - low > {NARROW_US};

CREATE TABLE quantity (
  rid INTEGER NOT NULL, param INTEGER NOT NULL, low REAL NOT NULL, high REAL NOT NULL, grp INTEGER NOT NULL,
  system INTEGER NOT NULL, code TEXT NOT NULL, unit TEXT NOT NULL,
  canonical_low REAL NOT NULL, canonical_high REAL NOT NULL, canonical_code TEXT NOT NULL, owner INTEGER NOT NULL,
  PRIMARY KEY (rid, param, low, high, grp, system, code, unit)) WITHOUT ROWID;
CREATE INDEX quantity_low ON quantity (param, low, owner, rid) WHERE grp = 0;
CREATE INDEX quantity_wide ON quantity (param, high, owner, rid) WHERE grp = 0 AND high > low;
CREATE INDEX quantity_canonical ON quantity (param, canonical_code, canonical_low, canonical_high, owner, rid)
  WHERE grp = 0;
CREATE INDEX quantity_canonical_wide ON quantity (param, canonical_code, canonical_high, canonical_low, owner, rid)
  WHERE grp = 0 AND canonical_high > canonical_low;

CREATE TABLE point (
  rid INTEGER NOT NULL, param INTEGER NOT NULL, latitude REAL NOT NULL, longitude REAL NOT NULL,
  owner INTEGER NOT NULL,
  PRIMARY KEY (rid, param, latitude, longitude)) WITHOUT ROWID;
CREATE INDEX point_latitude ON point (param, latitude, longitude, owner, rid);

CREATE VIRTUAL TABLE words USING fts5 (narrative, content, tokenize = 'ascii', detail = 'column');
"""

# Table → number of columns.
TABLES = {
    "coding": 7,
    "coding_text": 4,
    "of_type": 6,
    "uri": 5,
    "reference": 7,
    "reference_url": 7,
    "reference_identifier": 6,
    "string": 6,
    "number": 6,
    "date": 6,
    "quantity": 12,
    "point": 5,
}

# A value that repeats is one row; a missing value (NaN) must still be an error, so not OR IGNORE.
_INSERT = {
    table: f"INSERT INTO {table} VALUES ({', '.join('?' * width)}) ON CONFLICT DO NOTHING"  # noqa: S608 (our own names)
    for table, width in TABLES.items()
}
_DELETE = (*(f"DELETE FROM {table} WHERE rid = ?" for table in TABLES), filed.DELETE)  # noqa: S608
_WORD = re.compile(r"[^\W_]+")


def words(text: str) -> list[str]:
    """The words that `_text` and `_content` compare: runs of letters and digits, casefolded and unaccented."""
    if not text.isascii():
        text = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    return _WORD.findall(text.casefold())


def write_rows(cursor: Cursor, rid: int, type_num: int, owner_num: int, rows: IndexRows, names: IndexNames) -> None:
    """File the rows of a resource that has none (new, or after `delete_rows`); rows that repeat are kept once."""
    system = names.intern_system
    if rows.tokens:
        num = _nums(cursor, type_num, names, "coding")
        codings = []
        for param, uri, code, group in rows.tokens:
            folded = code.casefold()
            # The code is kept only where folding changed it: most don't change, and the row is short.
            exact = "" if folded == code else code
            codings.append((num(param), folded, owner_num, rid, system(cursor, uri), exact, group))
        cursor.executemany(_INSERT["coding"], codings)
    if rows.texts:
        num = _nums(cursor, type_num, names, "coding_text")
        texts = [(num(r.param), names.intern_text(cursor, r.value), owner_num, rid) for r in rows.texts]
        cursor.executemany(_INSERT["coding_text"], texts)
    if rows.of_types:
        num = _nums(cursor, type_num, names, "of_type")
        of_types = [(num(r.param), r.value, owner_num, rid, system(cursor, r.system), r.code) for r in rows.of_types]
        cursor.executemany(_INSERT["of_type"], of_types)
    if rows.strings:
        num = _nums(cursor, type_num, names, "string")
        strings = [(rid, num(p), normal, exact, group, owner_num) for p, normal, exact, group in rows.strings]
        cursor.executemany(_INSERT["string"], strings)
    if rows.numbers:
        num = _nums(cursor, type_num, names, "number")
        numbers = [(rid, num(p), low, high, group, owner_num) for p, low, high, group in rows.numbers]
        cursor.executemany(_INSERT["number"], numbers)
    if rows.dates:
        num = _nums(cursor, type_num, names, "date")
        dates = [(rid, num(p), low, high, group, owner_num) for p, low, high, group in rows.dates]
        cursor.executemany(_INSERT["date"], dates)
        if len(dates) > 1:
            _note_several_dates(cursor, names, [param for _, param, _, _, group, _ in dates if group == 0])
    if rows.quantities:
        num = _nums(cursor, type_num, names, "quantity")
        quantities = [
            (rid, num(p), low, high, group, system(cursor, uri), code, unit, c_low, c_high, c_code, owner_num)
            for p, low, high, uri, code, unit, c_low, c_high, c_code, group in rows.quantities
        ]
        cursor.executemany(_INSERT["quantity"], quantities)
    if rows.uris:
        num = _nums(cursor, type_num, names, "uri")
        uris = [(num(p), value, owner_num, rid, group) for p, value, group in rows.uris]
        cursor.executemany(_INSERT["uri"], uris)
    if rows.references:
        _write_references(cursor, rid, type_num, owner_num, rows.references, names)
    if rows.points:
        num = _nums(cursor, type_num, names, "point")
        points = [(rid, num(p), latitude, longitude, owner_num) for p, latitude, longitude in rows.points]
        cursor.executemany(_INSERT["point"], points)
    filed.write(cursor, rid, rows, names)
    if rows.narrative or rows.content:
        text = (rid, " ".join(words(rows.narrative)), " ".join(words(rows.content)))
        cursor.execute("INSERT INTO words (rowid, narrative, content) VALUES (?, ?, ?)", text)


def _note_several_dates(cursor: Cursor, names: IndexNames, params: list[int]) -> None:
    for place, param in enumerate(params):
        if param in params[:place]:
            names.note_several_dates(cursor, param)


def _nums(cursor: Cursor, type_num: int, names: IndexNames, table: str) -> Callable[[str], int]:
    """What gives the number of a parameter whose rows go into `table`."""
    nums: dict[str, int] = {}

    def num(code: str) -> int:
        found = nums.get(code)
        if found is None:
            found = nums[code] = names.intern_param(cursor, type_num, code, table)
        return found

    return num


def _write_references(
    cursor: Cursor, rid: int, type_num: int, owner_num: int, rows: list[ReferenceRow], names: IndexNames
) -> None:
    """A reference is filed under everything it says: a resource here, a URL, an identifier."""
    local: list[tuple[object, ...]] = []
    elsewhere: list[tuple[object, ...]] = []
    logical: list[tuple[object, ...]] = []
    local_num = _nums(cursor, type_num, names, "reference")
    elsewhere_num = _nums(cursor, type_num, names, "reference_url")
    logical_num = _nums(cursor, type_num, names, "reference_identifier")
    for param, type, id, url, version, system, value, group in rows:
        if id:
            local.append((local_num(param), id, type, owner_num, rid, group, version))
        if url:
            elsewhere.append((elsewhere_num(param), url, owner_num, rid, group, version, type))
        if value or system:
            issuer = names.intern_system(cursor, system)
            logical.append((logical_num(param), value, owner_num, rid, group, issuer))
    if local:
        cursor.executemany(_INSERT["reference"], local)
    if elsewhere:
        cursor.executemany(_INSERT["reference_url"], elsewhere)
    if logical:
        cursor.executemany(_INSERT["reference_identifier"], logical)


def delete_rows(cursor: Cursor, rid: int) -> None:
    """Take away everything the resource can be found by."""
    for statement in _DELETE:
        cursor.execute(statement, (rid,))
    cursor.execute("DELETE FROM words WHERE rowid = ?", (rid,))

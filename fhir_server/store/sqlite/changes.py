"""What was committed since a commit, and who shares resources with whom: what caches of facts about patients need.

The rowid of a version (`seq`) is the order of commits, so that a number is all there is to remember.
"""

import json
from collections.abc import Sequence
from sqlite3 import Connection

from fhir_server.store.protocol import Change, Changes
from fhir_server.store.sqlite.names import Names

# Of more, whoever asks is better off with starting anew.
CHANGES_MAX = 1_000

_LATEST = "SELECT coalesce(max(seq), 0) FROM version"
# By type, each a seek: what is left out may be most of what was written.
_CHANGED = """
SELECT DISTINCT rid FROM (
  SELECT v.rid FROM type_name t CROSS JOIN version v INDEXED BY version_by_type
  WHERE v.type = t.num AND v.seq > ? AND t.name NOT IN (SELECT value FROM json_each(?)) LIMIT ?)
"""
_CHANGES = """
SELECT r.rid, r.type, r.id FROM json_each(?) j CROSS JOIN resource r WHERE r.rid = j.value ORDER BY r.seq
"""
_OWNERS = """
SELECT DISTINCT v.rid, v.owner FROM json_each(?1) j CROSS JOIN version v WHERE v.rid = j.value AND v.owner > 0
UNION SELECT v.rid, o.num FROM json_each(?1) j CROSS JOIN version v CROSS JOIN version_owner o
WHERE v.rid = j.value AND v.owner < 0 AND o.seq = v.seq
"""
_SHARERS = """
SELECT DISTINCT other.num FROM json_each(?) j
CROSS JOIN version_owner one INDEXED BY version_owner_num CROSS JOIN version v CROSS JOIN resource r
CROSS JOIN version_owner other
WHERE one.num = j.value AND v.seq = one.seq AND r.rid = v.rid AND r.seq = v.seq AND NOT r.deleted AND other.seq = v.seq
"""


def since(connection: Connection, names: Names, seq: int, apart_from: Sequence[str]) -> Changes:
    """See Snapshot.changes; more than CHANGES_MAX versions are too much to tell."""
    (latest,) = connection.execute(_LATEST).fetchone()
    if seq == 0:
        return Changes(latest, None)
    if latest <= seq:
        return Changes(latest, ())
    rids = [rid for (rid,) in connection.execute(_CHANGED, (seq, json.dumps(apart_from), CHANGES_MAX + 1))]
    if len(rids) > CHANGES_MAX:
        return Changes(latest, None)
    listed = json.dumps(rids)
    owners: dict[int, list[str]] = {rid: [] for rid in rids}
    for rid, num in connection.execute(_OWNERS, (listed,)):
        owners[rid].append(names.patient(connection, num))
    found = connection.execute(_CHANGES, (listed,)).fetchall()
    changes = [Change(names.type_name(connection, type), id, tuple(sorted(owners[rid]))) for rid, type, id in found]
    return Changes(latest, tuple(changes))


def sharers(connection: Connection, names: Names, patients: Sequence[str]) -> frozenset[str]:
    """See Snapshot.sharers."""
    nums = [num for patient in patients if (num := names.owner_num(connection, patient))]
    found = connection.execute(_SHARERS, (json.dumps(nums),)).fetchall()
    return frozenset(patients).union([names.patient(connection, num) for (num,) in found])

"""What callers ask of the writer; each is checked, then written, and gets an answer of its own.

`check` refuses by raising before anything is written; `write` does not refuse.
"""

import asyncio
from collections.abc import Sequence
from typing import Any

from fhir_server.search.rows import IndexRows
from fhir_server.store.auth import AccessToken, AuthConflict, AuthWrite
from fhir_server.store.protocol import (
    AuditEntry,
    Committed,
    Guard,
    GuardFailed,
    Refile,
    VersionConflict,
    Write,
)
from fhir_server.store.sqlite import auth, query
from fhir_server.store.sqlite.chain import File
from fhir_server.store.sqlite.transaction import Transaction

DAY = 86_400_000_000


class Refusal(Exception):
    """Somebody else was first, and the caller has to look again; never leaves this package."""


class Job:
    """Appends audit entries and does nothing else: the plainest job."""

    __slots__ = ("audit", "future")

    # How many versions it adds, roughly: what bounds a group.
    weight = 0

    def __init__(self, audit: Sequence[AuditEntry], future: asyncio.Future[Any]) -> None:
        self.audit = audit
        self.future = future

    def check(self, transaction: Transaction) -> None:
        """Raise VersionConflict, GuardFailed or Refusal."""

    def write(self, transaction: Transaction) -> Any:
        """The answer."""


class Commit(Job):
    __slots__ = ("guards", "refile", "weight", "writes")

    def __init__(
        self,
        writes: Sequence[Write],
        guards: Sequence[Guard],
        audit: Sequence[AuditEntry],
        refile: Sequence[Refile],
        future: asyncio.Future[tuple[Committed, ...]],
    ) -> None:
        super().__init__(audit, future)
        self.writes = writes
        self.guards = guards
        self.refile = refile
        self.weight = len(writes) + len(refile)

    def check(self, transaction: Transaction) -> None:
        seen: dict[tuple[str, str], int] = {}
        for position, write in enumerate(self.writes):
            key = (write.type, write.id)
            current = seen.get(key)
            if current is None:
                current = transaction.current_version(*key)
            if current != write.expected_version:
                raise VersionConflict(position, current)
            seen[key] = current + 1
        if self.guards:
            # The query must see what earlier commits of the group have written.
            transaction.flush()
        for position, guard in enumerate(self.guards):
            matches = query.matches(transaction.connection, transaction.names, guard.query, len(guard.expected) + 1)
            if sorted(matches) != sorted(guard.expected):
                raise GuardFailed(position)

    def write(self, transaction: Transaction) -> tuple[Committed, ...]:
        committed = tuple([transaction.write(write) for write in self.writes])
        for refile in self.refile:
            transaction.refile(refile)
        return committed


class Unfold(Commit):
    """Add the resources that a batch of a file stands for, and move the file's mark from the batch before it to it."""

    __slots__ = ("file", "mark", "num")

    def __init__(
        self, file: File, mark: int, num: int, writes: Sequence[Write], future: asyncio.Future[tuple[Committed, ...]]
    ) -> None:
        super().__init__(writes, (), (), (), future)
        self.file = file
        self.mark = mark
        self.num = num

    def check(self, transaction: Transaction) -> None:
        found = "SELECT unfolded FROM audit_mark WHERE file = ?"
        (mark,) = transaction.connection.execute(found, (self.file,)).fetchone()
        if mark != self.mark:
            raise Refusal
        super().check(transaction)

    def write(self, transaction: Transaction) -> tuple[Committed, ...]:
        transaction.connection.execute("UPDATE audit_mark SET unfolded = ? WHERE file = ?", (self.num, self.file))
        return super().write(transaction)


class Reindex(Job):
    """File these current resources anew: (rid, seq, rows, owners, facts) each; answers how many were still current."""

    __slots__ = ("resources", "weight")

    def __init__(
        self,
        resources: Sequence[tuple[int, int, IndexRows, tuple[str, ...], bytes]],
        future: asyncio.Future[int],
    ) -> None:
        super().__init__((), future)
        self.resources = resources
        self.weight = len(resources)

    def write(self, transaction: Transaction) -> int:
        # A resource may have been written by an earlier commit of this group.
        transaction.flush()
        return sum(
            transaction.reindex(rid, seq, owners, facts, rows) for rid, seq, rows, owners, facts in self.resources
        )


class CommitAuth(Job):
    """See AuthStore.commit_auth."""

    __slots__ = ("issue", "revoke", "revoke_grants", "writes")

    def __init__(
        self,
        writes: Sequence[AuthWrite],
        issue: Sequence[tuple[bytes, AccessToken]],
        revoke: Sequence[bytes],
        revoke_grants: Sequence[str],
        audit: Sequence[AuditEntry],
        future: asyncio.Future[None],
    ) -> None:
        super().__init__(audit, future)
        self.writes = writes
        self.issue = issue
        self.revoke = revoke
        self.revoke_grants = revoke_grants

    def check(self, transaction: Transaction) -> None:
        for position, write in enumerate(self.writes):
            found = transaction.connection.execute(auth.REVISION, (write.kind, write.key)).fetchone()
            if (found[0] if found else 0) != write.expected:
                raise AuthConflict(position)

    def write(self, transaction: Transaction) -> None:
        execute = transaction.connection.execute
        execute(auth.FORGET_EXPIRED, (transaction.now - DAY,))
        execute(auth.FORGET_EXPIRED_RECORDS, (transaction.now - DAY,))
        for digest in self.revoke:
            execute(auth.REVOKE, (digest,))
        for grant in self.revoke_grants:
            execute(auth.REVOKE_GRANT, (grant,))
        for write in self.writes:
            if write.body is None:
                execute(auth.FORGET_RECORD, (write.kind, write.key))
            else:
                row = (write.kind, write.key, write.expected + 1, write.subject, write.expires, write.body)
                execute(auth.PUT_RECORD, row)
        for digest, token in self.issue:
            execute(auth.PUT, (digest, token.expires, auth.encode(token), token.grant))

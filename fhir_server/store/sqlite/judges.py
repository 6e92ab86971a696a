"""Which resources the gateway's own criteria hold for, decided by a function that SQLite calls for each candidate.

A ByOwner may have hundreds of predicates of dozens of leaves, for thousands of patients. Written out in SQL it would
be megabytes of statement, and a seek for each leaf; here it is one call, whose cost does not depend on their number,
and no limit of SQLite's is near. The candidate brings its owner and what is filed with it (see filed), the judge keeps
what it has found for both.

https://www.sqlite.org/appfunc.html
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import count
from sqlite3 import Connection
from typing import Protocol, TypeAlias

from fhir_server.search import query as ast
from fhir_server.search.query import Predicate
from fhir_server.store.sqlite import filed
from fhir_server.store.sqlite.filed import NOTHING_FILED, Content
from fhir_server.store.sqlite.index_names import SEVERAL_OWNERS

# Judges that are kept between reads, the patients that they may name together, and verdicts.
JUDGES_MAX = 2_048
PATIENTS_MAX = 1_000_000
VERDICTS_MAX = 200_000
# Values asked for that no resource has.
UNKNOWN_MAX = 200_000
# Of so few patients a search looks for the resources of each.
ONLY_MAX = 32


class Numbers(Protocol):
    """What names have to tell; see Names."""

    def patient(self, connection: Connection, num: int) -> str: ...
    def type_name(self, connection: Connection, num: int) -> str: ...
    def filed_num(self, connection: Connection, kind: str, value: str) -> int | None: ...


@dataclass(frozen=True, slots=True)
class Owners:
    """The resource's owner number is among these (0: about nobody, -1: about several)."""

    nums: tuple[int, ...]


# And, Or, Not, Owners, TypeIn, Ids, Filed, FiledSpan and ByOwner, whose predicates are of the same but it and Owners.
Tree: TypeAlias = Predicate | Owners
# A candidate's owner: a number, or the numbers of several with commas between them.
OwnerKey: TypeAlias = int | str


@dataclass(frozen=True, slots=True, eq=False)
class Test:
    """What is to be asked of content and logical id, and the ids that it makes a difference to be."""

    holds: Callable[[Content, str | None], bool]
    ids: frozenset[str] = frozenset()


Answer: TypeAlias = bool | Test


@dataclass(slots=True, eq=False)
class Arm:
    """A test, and what it has found for content."""

    test: Test
    verdicts: dict[bytes, bool] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class Groups:
    """A ByOwner made ready: whose predicate is which, and what the predicates ask about.

    `only`: nothing is seen of any other patients than these few; None if there is no saying.
    `plain`: of most patients everything is seen, or nothing, so that it pays to ask first whether it is so.
    """

    node: ast.ByOwner
    predicates: dict[str, Predicate]
    asks_content: bool
    asks_id: bool
    only: tuple[str, ...] | None
    plain: bool

    @classmethod
    def of(cls, node: ast.ByOwner) -> "Groups":
        predicates = {patient: predicate for patients, predicate in node.groups for patient in patients}
        asked = leaves([node.otherwise, *[predicate for _, predicate in node.groups]])
        only: tuple[str, ...] | None = None
        if node.otherwise == ast.NOTHING:
            seen = [patients for patients, predicate in node.groups if predicate != ast.NOTHING]
            if sum(map(len, seen)) <= ONLY_MAX:
                only = tuple([patient for patients in seen for patient in patients])
        same = sum([len(patients) for patients, one in node.groups if one in (ast.EVERYTHING, ast.NOTHING)])
        plain = 2 * same >= len(predicates) and node.otherwise in (ast.EVERYTHING, ast.NOTHING)
        return cls(node, predicates, bool(asked & {ast.Filed, ast.FiledSpan}), ast.Ids in asked, only, plain)


@dataclass(slots=True, eq=False)
class Judge:
    """Decides one tree for resources of one type; `asks_…` says what the candidate has to bring."""

    num: int
    tree: Tree
    type: str
    asks_content: bool
    asks_id: bool
    plain: bool
    patients: int
    arms: dict[OwnerKey, bool | Arm] = field(default_factory=dict)
    tests: dict[int, Answer] = field(default_factory=dict)
    arm_of: dict[int, Arm] = field(default_factory=dict)


class Judges:
    """What one thread keeps for one database. Call `begin` at the start of a read, before `of`."""

    def __init__(self, names: Numbers) -> None:
        self._names = names
        self._connection: Connection
        self._nums = count(1)
        self._judges: dict[object, Judge] = {}
        self._by_num: dict[int, Judge] = {}
        self._groups: dict[int, Groups] = {}
        self._patients = 0
        self._verdicts = 0
        # Values without a number, and the sets that want it; numbers up to `_seen` were looked through for them.
        self._unknown: dict[tuple[str, str], list[set[int]]] = {}
        self._seen = 0
        self._latest = 0

    def register(self, connection: Connection) -> None:
        """Make the functions known to a connection of this thread."""
        connection.create_function("judged", 4, self._judged, deterministic=True)
        connection.create_function("judged_by_owner", 2, self._judged_by_owner, deterministic=True)
        connection.create_function("judged_version", 4, self._judged_version, deterministic=True)

    def forget(self) -> None:
        """After a rollback: numbers may stand for something else by now."""
        for known in (self._judges, self._by_num, self._groups, self._unknown):
            known.clear()
        self._patients = self._verdicts = self._seen = 0

    def begin(self, connection: Connection) -> None:
        """Learn the numbers that were given out since, and let go of what was not asked for long."""
        self._connection = connection
        if len(self._unknown) > UNKNOWN_MAX:
            self.forget()
        crowded = len(self._groups) > 2 * JUDGES_MAX
        if len(self._judges) > JUDGES_MAX or self._patients > PATIENTS_MAX:
            # Many at once: what can go with them is seen by a look at all that stay.
            crowded = True
            while len(self._judges) > JUDGES_MAX * 3 // 4 or self._patients > PATIENTS_MAX * 3 // 4:
                oldest = self._judges.pop(next(iter(self._judges)))
                del self._by_num[oldest.num]
                self._patients -= oldest.patients
        if crowded:
            kept = {id(node) for judge in self._judges.values() for node in by_owner_in(judge.tree)}
            self._groups = {key: groups for key, groups in self._groups.items() if key in kept}
        (self._latest,) = connection.execute("SELECT coalesce(max(num), 0) FROM filed_value").fetchone()
        if self._latest > self._seen:
            self._learn()

    def of(self, tree: Tree, type: str) -> Judge:
        """The judge of the tree, the same for as long as its ByOwner nodes are the same."""
        key = (type, _key(tree))
        judge = self._judges.pop(key, None)
        if judge is None:
            groups = [self.groups(node) for node in by_owner_in(tree)]
            asked = leaves([tree])
            judge = Judge(
                next(self._nums),
                tree,
                type,
                any(one.asks_content for one in groups) or bool(asked & {ast.Filed, ast.FiledSpan}),
                any(one.asks_id for one in groups) or ast.Ids in asked,
                all(one.plain for one in groups) and not asked & {ast.Filed, ast.FiledSpan},
                sum([len(one.predicates) for one in groups]),
            )
            self._by_num[judge.num] = judge
            self._patients += judge.patients
        self._judges[key] = judge  # the one last asked for is the last to be let go
        return judge

    def groups(self, node: ast.ByOwner) -> Groups:
        found = self._groups.get(id(node))
        if found is None:
            found = self._groups[id(node)] = Groups.of(node)
        return found

    # --- what SQLite calls ------------------------------------------------------------------------------------------

    def _judged(self, num: int, owners: OwnerKey, content: bytes | None, id: str | None) -> bool:
        judge = self._by_num[num]
        arm = judge.arms.get(owners)
        if arm is None:
            arm = judge.arms[owners] = self._arm(judge, owners)
        if arm is True or arm is False:
            return arm
        test = arm.test
        if content is None:
            # What was never filed, because it was written before there was filing, may be anything: it has to be
            # reindexed before anybody sees it by a rule that asks for content.
            return not judge.asks_content and test.holds(NOTHING_FILED, id)
        if id is not None and id in test.ids:
            return test.holds(filed.read(content), id)
        verdict = arm.verdicts.get(content)
        if verdict is None:
            if self._verdicts >= VERDICTS_MAX:
                self._forget_verdicts()
            self._verdicts += 1
            verdict = arm.verdicts[content] = test.holds(filed.read(content), id)
        return verdict

    def _judged_by_owner(self, num: int, owners: OwnerKey) -> bool | None:
        """None if it takes more than the owners to tell."""
        judge = self._by_num[num]
        arm = judge.arms.get(owners)
        if arm is None:
            arm = judge.arms[owners] = self._arm(judge, owners)
        return arm if arm is True or arm is False else None

    def _judged_version(self, num: int, type_num: int, owners: OwnerKey, id: str) -> bool:
        tree = self._by_num[num].tree
        judge = self.of(tree, self._names.type_name(self._connection, type_num))
        return self._judged(judge.num, owners, None, id)

    def _forget_verdicts(self) -> None:
        for judge in self._judges.values():
            for arm in judge.arm_of.values():
                arm.verdicts.clear()
        self._verdicts = 0

    # --- from trees to tests ----------------------------------------------------------------------------------------

    def _arm(self, judge: Judge, owners: OwnerKey) -> bool | Arm:
        nums = [owners] if isinstance(owners, int) else [int(num) for num in owners.split(",")]
        patients = [self._names.patient(self._connection, num) for num in nums if num]
        answer = self._of_owners(judge, judge.tree, owners if isinstance(owners, int) else SEVERAL_OWNERS, patients)
        if isinstance(answer, bool):
            return answer
        # Patients with the same predicate share what is found.
        return judge.arm_of.setdefault(id(answer), Arm(answer))

    def _of_owners(self, judge: Judge, tree: Tree, owner: int, patients: Sequence[str]) -> Answer:
        """The tree for resources about these patients."""
        match tree:
            case ast.And(children):
                return all_of([self._of_owners(judge, child, owner, patients) for child in children])
            case ast.Or(children):
                return any_of([self._of_owners(judge, child, owner, patients) for child in children])
            case ast.Not(child):
                return opposite(self._of_owners(judge, child, owner, patients))
            case Owners(nums):
                return owner in nums
            case ast.ByOwner(_, otherwise):
                if not patients:
                    return False
                own = self.groups(tree).predicates
                distinct = {id(one): one for one in [own.get(patient, otherwise) for patient in patients]}
                return all_of([self._test(judge, one) for one in distinct.values()])
        return self._test(judge, tree)

    def _test(self, judge: Judge, predicate: Predicate) -> Answer:
        answer = judge.tests.get(id(predicate))
        if answer is None:
            answer = judge.tests[id(predicate)] = self._compiled(judge, predicate)
        return answer

    def _compiled(self, judge: Judge, predicate: Predicate) -> Answer:
        match predicate:
            case ast.And(children):
                # Not one of these and not one of those is none of all of them: one look at the content.
                unwanted = [c.child for c in children if isinstance(c, ast.Not) and isinstance(c.child, ast.Filed)]
                rest = [c for c in children if not (isinstance(c, ast.Not) and isinstance(c.child, ast.Filed))]
                answers = [self._test(judge, child) for child in rest]
                return all_of([opposite(self._filed(unwanted)), *answers] if unwanted else answers)
            case ast.Or(children):
                wanted = [child for child in children if isinstance(child, ast.Filed)]
                answers = [self._test(judge, child) for child in children if not isinstance(child, ast.Filed)]
                return any_of([self._filed(wanted), *answers] if wanted else answers)
            case ast.Not(child):
                return opposite(self._test(judge, child))
            case ast.TypeIn(types):
                return judge.type in types
            case ast.Ids(ids):
                listed = frozenset(ids)
                return Test(lambda content, id: id in listed, listed)
            case ast.Filed():
                return self._filed([predicate])
            case ast.FiledSpan(low, high, partly):
                return _span(low, high, partly)
        raise TypeError(f"what is asked by owner can't depend on {type(predicate).__name__}")

    def _filed(self, leaves: Iterable[ast.Filed]) -> Answer:
        """Whether one of the values is among the content's; numbers that are not known yet are added later."""
        nums: set[int] = set()
        for leaf in leaves:
            for value in leaf.values:
                num = self._names.filed_num(self._connection, leaf.kind, value)
                if num is None:
                    self._unknown.setdefault((leaf.kind, value), []).append(nums)
                    # This snapshot may be older than one that was asked before.
                    self._seen = min(self._seen, self._latest)
                else:
                    nums.add(num)
        return Test(lambda content, id: not nums.isdisjoint(content.values))

    def _learn(self) -> None:
        """Give the sets that wait for a number those given out from `_seen` to `_latest`."""
        if self._unknown:
            if self._latest - self._seen <= len(self._unknown):
                new = self._connection.execute(
                    "SELECT kind, value, num FROM filed_value WHERE num > ? AND num <= ?", (self._seen, self._latest)
                ).fetchall()
            else:
                new = [(*key, self._names.filed_num(self._connection, *key)) for key in self._unknown]
            for kind, value, num in new:
                if num is not None:
                    for nums in self._unknown.pop((kind, value), ()):
                        nums.add(num)
        self._seen = self._latest


def _span(low: int, high: int, partly: bool) -> Test:
    if partly:
        return Test(lambda content, id: content.low <= content.high and content.low < high and content.high > low)
    return Test(lambda content, id: content.low <= content.high and content.low >= low and content.high <= high)


def all_of(answers: Sequence[Answer]) -> Answer:
    tests = [answer for answer in answers if isinstance(answer, Test)]
    if len(tests) < len(answers) and False in answers:
        return False
    if len(tests) < 2:
        return tests[0] if tests else True
    functions = tuple([test.holds for test in tests])

    def holds(content: Content, id: str | None) -> bool:
        for function in functions:  # noqa: SIM110 (half the cost of `all`)
            if not function(content, id):
                return False
        return True

    return Test(holds, frozenset().union(*[test.ids for test in tests]))


def any_of(answers: Sequence[Answer]) -> Answer:
    tests = [answer for answer in answers if isinstance(answer, Test)]
    if len(tests) < len(answers) and True in answers:
        return True
    if len(tests) < 2:
        return tests[0] if tests else False
    functions = tuple([test.holds for test in tests])

    def holds(content: Content, id: str | None) -> bool:
        for function in functions:  # noqa: SIM110
            if function(content, id):
                return True
        return False

    return Test(holds, frozenset().union(*[test.ids for test in tests]))


def opposite(answer: Answer) -> Answer:
    if isinstance(answer, bool):
        return not answer
    holds = answer.holds
    return Test(lambda content, id: not holds(content, id), answer.ids)


def owner_key(owner: str, seq: str) -> str:
    """SQL for an OwnerKey, from the owner column and what gives the `seq` of the version."""
    several = f"SELECT group_concat(num) FROM version_owner WHERE seq = {seq}"  # noqa: S608 (our own names)
    return f"CASE {owner} WHEN {SEVERAL_OWNERS} THEN ({several}) ELSE {owner} END"


def leaves(trees: Iterable[Tree]) -> set[type]:
    """The kinds of leaves in these trees, each part of them looked at once."""
    found: set[type] = set()
    met: dict[int, Tree] = {}
    waiting = list(trees)
    while waiting:
        tree = waiting.pop()
        if id(tree) in met:
            continue
        met[id(tree)] = tree
        match tree:
            case ast.And(children) | ast.Or(children):
                waiting += children
            case ast.Not(child):
                waiting.append(child)
            case _:
                found.add(type(tree))
    return found


def by_owner_in(tree: Tree) -> list[ast.ByOwner]:
    match tree:
        case ast.ByOwner():
            return [tree]
        case ast.And(children) | ast.Or(children):
            return [node for child in children for node in by_owner_in(child)]
        case ast.Not(child):
            return by_owner_in(child)
    return []


def _key(tree: Tree) -> object:
    """A ByOwner is known by its identity, for it may be large, and what is small by what it says."""
    match tree:
        case ast.ByOwner():
            return id(tree)
        case ast.And(children) | ast.Or(children):
            return (type(tree), *[_key(child) for child in children])
        case ast.Not(child):
            return (ast.Not, _key(child))
    return tree

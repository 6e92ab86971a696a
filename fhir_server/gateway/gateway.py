"""The gateway: the policy enforcement point between whoever asks and the store.

https://hl7.org/fhir/R4/security.html
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from os import urandom
from typing import Any, Final

from consent import vocabulary
from consent.compile import Rules
from consent.model import Closure, Effect
from fhir_server.gateway import emergency, requester, stored_text, unfolding
from fhir_server.gateway.access import Access, invalid_token
from fhir_server.gateway.apps import AppPolicy, itself, stands
from fhir_server.gateway.consents import ConsentRules
from fhir_server.gateway.cursor import Sealer
from fhir_server.gateway.directory import UNOWNED
from fhir_server.gateway.filing import Filer
from fhir_server.gateway.knowledge import Knowledge
from fhir_server.gateway.ownership import Ownership
from fhir_server.gateway.policies import ConsentPolicy, FixedPolicy, Policy
from fhir_server.gateway.session import Session
from fhir_server.gateway.standing import Standing
from fhir_server.gateway.unit import Tools
from fhir_server.search import index
from fhir_server.search.context import Context
from fhir_server.search.parameters import SearchParameters
from fhir_server.search.parse import parse
from fhir_server.search.query import Predicate
from fhir_server.settings import Settings
from fhir_server.store.auth import AccessToken
from fhir_server.store.protocol import AuditEntry, ResourceStore, Snapshot, Write
from profiles.registry import Registry

# Token terms whose scopes are kept compiled. Only the compilation is kept: the token itself is looked up every time.
_ACCESSES_MAX: Final = 1024

PolicyFor = Callable[[requester.Requester, Snapshot], Policy]


def new_uuid() -> str:
    """A random UUID (RFC 9562, version 4) as text: a read needs one for its audit, and `uuid4()` takes its time."""
    digits = urandom(16).hex()
    variant = "89ab"[int(digits[16], 16) & 3]
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:]}"


class Gateway:
    """Opens Sessions. The store it is given goes nowhere else.

    `clock` gives microseconds since 1970 UTC; `cursor_key` is the same 32 bytes for every worker on one store;
    `added` are SearchParameter resources that the store is indexed by, besides those of R4.
    """

    def __init__(
        self,
        store: ResourceStore,
        registry: Registry,
        settings: Settings,
        *,
        clock: Callable[[], int],
        cursor_key: bytes,
        policy: PolicyFor | None = None,
        added: Sequence[Mapping[str, Any]] = (),
        new_id: Callable[[], str] = new_uuid,
    ) -> None:
        self.store = store
        self.registry = registry
        self.settings = settings
        self.clock = clock
        self.sealer = Sealer(cursor_key)
        self.base_urls = (settings.base_url.rstrip("/"),) if settings.base_url else ()
        self._parameters = SearchParameters(registry, added)
        self._indexer = index.Indexer(self._parameters, settings.zone, self.base_urls)
        filer = Filer(settings.zone, clock)
        base = Effect.PERMIT if settings.base_policy == "permit" else Effect.DENY
        self.rules = Rules(vocabulary.build(registry.codesystem, registry.resource_types), UNOWNED, base)
        self.knowledge = Knowledge(self.rules, filer, settings.zone)
        ownership = Ownership(registry, self._indexer.extract)
        consents = ConsentRules(self.knowledge, clock)
        self.tools = Tools(registry, self._indexer.extract, ownership, filer, consents, new_id)
        self._policy = policy or self.policy
        self._emergency_roles = emergency.roles(settings.emergency_roles)
        self._standings: dict[tuple[str, ...], Standing] = {}
        self._types = frozenset(registry.resource_types)
        self._anonymous = self._access(requester.anonymous(settings.public_directory))
        self._accesses: dict[AccessToken, Access] = {}

    async def session(self, authorization: str | None) -> Session:
        """The Session of whoever sends this Authorization header (None: nobody known).

        The token is looked up at every call, so that a revocation counts at once. Raises FhirError 401, audited, for
        any header but a valid bearer token. https://datatracker.ietf.org/doc/html/rfc6750#section-2.1
        """
        if authorization is None:
            return Session(self, self._anonymous)
        scheme, _, credentials = authorization.partition(" ")
        token: AccessToken | None = None
        if scheme.lower() == "bearer" and credentials:
            token = await self.store.token(sha256(credentials.strip().encode()).digest())
        if token is None or token.expires <= self.clock() or not await self._is_let_in(token):
            error = invalid_token()
            await Session(self, self._anonymous).refused("login", "", error)
            raise error
        access = self._accesses.get(token)
        if access is None:
            if len(self._accesses) >= _ACCESSES_MAX:
                self._accesses.clear()
            access = self._accesses[token] = self._access(requester.from_token(token, self._types))
        return Session(self, access)

    def session_of(self, who: requester.Requester) -> Session:
        """The Session of a requester that the command line vouches for; decided and audited like every other."""
        return Session(self, self._access(who))

    def context(self, *, lenient: bool = False) -> Context:
        return Context(
            self._parameters,
            self.clock(),
            self.settings.zone,
            self.base_urls,
            self.settings.page_count_default,
            self.settings.page_count_max,
            lenient,
        )

    def expand(self, entry: AuditEntry) -> Sequence[Write]:
        """The AuditEvents and Provenances of an audit entry, ready to be stored."""
        writes = []
        for made, owners in unfolding.unfold(entry):
            kind = made["resourceType"]
            rows = self.tools.extract(made)
            # What the server records of who wrote what would tell others of records that are hidden from them.
            facts = self.tools.filer.file(made, owners, rows, personal=kind == "Provenance")
            writes.append(Write("create", kind, made["id"], 0, stored_text.body(made), owners, facts, rows))
        return writes

    def policy(self, who: requester.Requester, snapshot: Snapshot) -> Policy:
        """What decides for the requester in the snapshot."""
        if who.kind in (requester.ANONYMOUS_KIND, requester.SYSTEM_KIND):
            return FixedPolicy(self.rules.base, system=who.kind == requester.SYSTEM_KIND)
        if who.app:
            # What others open to the same app they open to it on their own behalf: the person counts as themself alone.
            person = replace(who, app="", client="")
            return AppPolicy(self._by_consents(person, snapshot), self._by_consents(itself(who), snapshot), who)
        return self._by_consents(who, snapshot)

    async def app_is_let_in(self, patient: str, consent: str, app: str) -> bool:
        """Whether this Consent of the patient (logical ids both) is in force and lets in the app (`Device/1`)."""
        async with self.store.snapshot() as snapshot:
            await self.knowledge.refresh(snapshot)
            dossier = await self.knowledge.dossier(snapshot, patient)
        return stands(dossier, consent, app, self.clock())

    async def acts_for(self, user: str, patient: str) -> bool:
        """Whether the user (`RelatedPerson/1`) is this patient (a logical id), or a verified proxy of theirs now."""
        if user == f"Patient/{patient}":
            return True
        async with self.store.snapshot() as snapshot:
            await self.knowledge.refresh(snapshot)
            dossier = await self.knowledge.dossier(snapshot, patient)
        return user in dossier.proxies(self.clock(), self.rules)

    async def _is_let_in(self, token: AccessToken) -> bool:
        """Whether the Consent that the token hangs on, if it hangs on one, stands."""
        return not token.app or await self.app_is_let_in(token.patient, token.consent, token.app)

    def _by_consents(self, who: requester.Requester, snapshot: Snapshot) -> ConsentPolicy:
        # The emergency button has a window and a reason; nothing else of a token matters to the rules.
        window = (who.reason, str(who.since), str(who.until)) if who.purpose == "BTG" else ()
        key = (who.user, who.client, who.purpose, *window)
        standing = self._standings.get(key)
        if standing is None:
            if len(self._standings) >= _ACCESSES_MAX:
                self._standings.clear()
            standing = self._standings[key] = Standing(self.knowledge, who, self.may_press)
        return ConsentPolicy(standing, snapshot, self.tools.filer, self.rules, self.tools.ownership.types, self.clock())

    def may_press(self, login: str, closure: Closure) -> bool:
        """Whether the deployment lets `login` use the emergency button."""
        return emergency.may_press(login, closure, self._emergency_roles)

    def _access(self, who: requester.Requester) -> Access:
        return Access(who, self._policy, self.knowledge.refresh, self._constrain, self.tools.extract)

    def _constrain(self, type: str, parameters: Sequence[tuple[str, str]]) -> Predicate:
        return parse((type,), parameters, self.context()).query.where

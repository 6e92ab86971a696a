"""What the authorization server remembers, record by record. Times are microseconds since 1970 UTC.

Secrets (codes, tokens, handles, cookies) are kept as their SHA-256 only, and are the key of their record: see `digest`.
https://hl7.org/fhir/smart-app-launch/STU2.2/app-launch.html
"""

from hashlib import sha256
from typing import Final, Literal

import msgspec

ClientKind = Literal["public", "symmetric", "asymmetric"]
AssertionProfile = Literal["smart22", "rfc10070"]
GrantType = Literal["authorization_code", "refresh_token", "client_credentials"]


APP_DEVICE: Final = "Device/app-"


class Client(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A registered application; the key is its `id`.

    `kind` says how it proves who it is: not at all, by a secret (kept hashed), by assertions signed with a key in
    `jwks` (JSON text) or behind `jwks_uri`. `scope` is the most it may ask for. A backend service acts as `user`
    (`Organization/1`); `purpose` (v3 ActReason) goes with its tokens, and with those of professionals who use it.
    `explanation` is why it asks, in its own words; `publisher` who made it, `verified` if the operator checked that.
    https://datatracker.ietf.org/doc/html/rfc7591#section-2
    """

    id: str
    name: str
    kind: ClientKind
    scope: str
    grants: tuple[GrantType, ...] = ("authorization_code", "refresh_token")
    redirect_uris: tuple[str, ...] = ()
    origins: tuple[
        str, ...
    ] = ()  # whose scripts may call token and FHIR endpoints (CORS), those of redirect_uris aside
    launch_uri: str = ""
    secret: str = ""
    jwks: str = ""
    jwks_uri: str = ""
    assertion_profile: AssertionProfile = "smart22"
    user: str = ""
    purpose: str = ""
    explanation: str = ""
    publisher: str = ""
    verified: bool = False
    introspects: bool = False
    created: int = 0

    @property
    def device(self) -> str:
        """The app as Consents name it: a Device about nobody, whose identifier is the client id."""
        return f"{APP_DEVICE}{self.id}"

    @property
    def itself(self) -> str:
        """What the tokens of a backend service end with, in the place of a grant: no grant has such a key."""
        return f"client {self.id}"


class Account(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Somebody who can log in; the key is the `username`, in lower case.

    `id` is a UUID that outlives a change of name. `people` are whom they log in as, one at a time: `Patient/1`,
    `RelatedPerson/2`, `PractitionerRole/3`, or `operator`. `password` is an argon2id hash, '' where only the external
    provider counts; `published`: everybody can know it, so it counts only where nobody else can reach the server.
    `totp` is a sealed secret, '' for none; `external` the `issuer subject` pairs that are this person.
    """

    id: str
    username: str
    name: str
    people: tuple[str, ...]
    password: str = ""
    published: bool = False
    totp: str = ""
    totp_used: int = 0  # the last time step that was accepted: a code works once
    external: tuple[str, ...] = ()
    created: int = 0


class Login(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A browser that somebody has logged in with; the key is the digest of its cookie, the subject the username.

    `person` is as whom ('' until chosen), `since` when they showed who they are, `acr` how well. `used` is when it was
    last seen in use, `until` when it ends however much it is used, `enrolling` the sealed secret of a second step that
    they are about to switch on.
    """

    account: str  # Account.id
    username: str
    name: str
    people: tuple[str, ...]
    person: str = ""
    since: int
    expires: int
    acr: str = ""
    used: int = 0
    until: int = 0
    enrolling: str = ""


class Identity(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody as an OpenID Provider knows them; the key is the digest of `issuer`, NUL, `subject`."""

    username: str


class SecondStep(msgspec.Struct, frozen=True, kw_only=True):
    """A browser in which somebody gave the right password and owes a code; the key is the digest of its cookie."""

    username: str
    following: str  # the page that they were on their way to
    expires: int


class ProviderRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A browser on its way to the OpenID Provider; the key is the digest of `state`.

    `browser` is the digest of its cookie: an answer counts in the browser that asked.
    """

    browser: str
    nonce: str
    verifier: str
    following: str
    expires: int


class Attempts(msgspec.Struct, frozen=True, kw_only=True):
    """Wrong answers in a row, and when the last one was; the key tells of nobody: see smart/attempts.py."""

    failures: int
    last: int


class Authorization(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A checked request to /authorize that waits for a person's answer; the key is the digest of its handle.

    `base` is the FHIR base, `issuer` this server, as the browser addressed them; `patient` a logical id, once chosen.
    """

    client: str
    redirect_uri: str
    state: str
    scope: str  # what was asked for and may be: known scopes, within those of the client
    challenge: str
    nonce: str = ""
    launch: str = ""  # digest of the launch handle, '' for a standalone launch
    patient: str = ""
    prompt: str = ""
    max_age: int = -1
    version_1: bool = False  # asked for in the words of SMART 1
    base: str
    issuer: str
    expires: int


class Launch(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An EHR launch: a handle for one client, one person and their login; the key is the digest of the handle.

    `context` is JSON text of `fhirContext`, '' for none.
    """

    client: str
    person: str
    login: str  # digest of the cookie
    patient: str = ""
    context: str = ""
    banner: bool = True  # need_patient_banner
    expires: int


class Grant(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a person granted an app; the key is a UUID, the subject the `person`.

    `scope` is the whole answer (`openid launch/patient patient/Observation.rs`). `patient` is the launch context,
    `consent` the patient's Consent that it hangs on ('' where a professional lets an app in for themself), both logical
    ids. `until` is when it ends by itself, 0: it does not. `ended` is when it was ended, 0: it was not. Every token
    that is issued under it changes `used`, so that none comes of a grant that ended meanwhile.
    """

    client: str
    person: str
    account: str
    scope: str
    patient: str = ""
    consent: str = ""
    purpose: str = ""
    refresh: Literal["", "offline", "online"] = ""
    login: str = ""  # digest of the cookie: `online` refreshes only while that login lasts
    launch_context: str = ""  # JSON text: what the token answer says of the launch besides `patient`
    version_1: bool = False  # answered in the words of SMART 1
    nonce: str = ""
    since: int = 0  # auth_time
    acr: str = ""
    created: int
    until: int = 0
    used: int = 0
    ended: int = 0


class Code(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An authorization code; the key is its digest, the subject its grant. Kept after use: a replay ends the grant."""

    client: str
    redirect_uri: str
    challenge: str
    grant: str
    issuer: str
    base: str
    expires: int
    used: bool = False


class Refresh(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A refresh token; the key is its digest, the subject its grant. Kept after use: a replay ends the grant."""

    client: str
    grant: str
    scope: str
    issuer: str
    base: str
    expires: int
    used: bool = False


class Assertion(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A client assertion that was used; the key is the digest of `issuer`, NUL, `jti`."""

    seen: int


def digest(secret: str) -> str:
    """What is kept of a secret that is long and random: its SHA-256 in hexadecimal."""
    return sha256(secret.encode()).hexdigest()

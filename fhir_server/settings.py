"""Settings: flags of the command line, or `WIJKDOSSIER_*` in the environment; a flag wins."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, get_args
from zoneinfo import ZoneInfo

BasePolicy = Literal["deny", "permit"]
PORT_MAX = 65535
LOOPBACK = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a deployment chooses: a field is a flag (`--body-bytes-max`) and a variable (`WIJKDOSSIER_BODY_BYTES_MAX`).

    Sizes are bytes. `base_url` is the public address of the FHIR base if a proxy stands in front (`https://…/fhir`);
    empty: made from the Host header. `emergency_roles` are the codes of a PractitionerRole (`system|code`, with commas
    between them) that may press the emergency button; empty: every Practitioner and PractitionerRole may.

    `local_accounts`: whether people can log in with a password that is kept here. `oidc_issuer` is the OpenID Provider
    that they log in at otherwise, as its client `oidc_client_id`; `oidc_acr_resident` and `oidc_acr_professional` are
    the values of `acr` that are good enough, with spaces between them; empty: any. `dynamic_registration`: whether apps
    may register themselves. `key_passphrase` encrypts the signing keys on disk. What is secret, and so kept out of the
    `repr`, has no flag: others on the machine could read it there.
    """

    data: Path = Path("data")
    host: str = "127.0.0.1"
    port: int = 8080
    workers: int = 1
    base_url: str = ""
    base_policy: BasePolicy = "deny"
    public_directory: bool = True
    local_accounts: bool = True
    dynamic_registration: bool = False
    oidc_issuer: str = ""
    oidc_client_id: str = ""
    oidc_client_secret: str = field(default="", repr=False)
    oidc_acr_resident: str = ""
    oidc_acr_professional: str = ""
    key_passphrase: str = field(default="", repr=False)
    emergency_roles: str = ""
    timezone: str = "Europe/Amsterdam"
    body_bytes_max: int = 16 * 1024 * 1024
    page_count_default: int = 20
    page_count_max: int = 1000

    def __post_init__(self) -> None:
        if self.base_policy not in get_args(BasePolicy):
            raise ValueError(f"base policy is `deny` or `permit`, not `{self.base_policy}`")
        try:
            ZoneInfo(self.timezone)
        except (KeyError, ValueError, OSError) as error:
            raise ValueError(f"`{self.timezone}` is not a time zone of the IANA database") from error
        if any("|" not in role for role in self.emergency_roles.split(",") if role):
            raise ValueError("an emergency role is `system|code`")
        for name in ("port", "workers", "body_bytes_max", "page_count_default", "page_count_max"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1")
        if self.port > PORT_MAX:
            raise ValueError(f"port must be at most {PORT_MAX}")

    @property
    def only_here(self) -> bool:
        """Whether the server can be reached from this machine alone."""
        return self.host in LOOPBACK and not self.base_url

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)


def from_environment(environ: Mapping[str, str] = os.environ, **flags: Any) -> Settings:
    """Settings from defaults, the environment, and `flags` that are not None. Raises ValueError naming the setting."""
    chosen: dict[str, Any] = {}
    for setting in fields(Settings):
        flag = flags.get(setting.name)
        text = environ.get(variable(setting.name))
        if flag is not None:
            chosen[setting.name] = flag
        elif text is not None:
            chosen[setting.name] = _parse(setting.name, text, setting.default)
    return Settings(**chosen)


def to_environment(settings: Settings) -> dict[str, str]:
    """The same settings as environment variables: how a worker process gets them."""
    return {variable(setting.name): str(getattr(settings, setting.name)) for setting in fields(Settings)}


def variable(name: str) -> str:
    return "WIJKDOSSIER_" + name.upper()


def _parse(name: str, text: str, default: Any) -> Any:
    if isinstance(default, bool):
        if text.lower() not in ("true", "false", "1", "0"):
            raise ValueError(f"{variable(name)} must be `true` or `false`, not `{text}`")
        return text.lower() in ("true", "1")
    if isinstance(default, int):
        try:
            return int(text)
        except ValueError:
            raise ValueError(f"{variable(name)} must be a whole number, not `{text}`") from None
    return Path(text) if isinstance(default, Path) else text

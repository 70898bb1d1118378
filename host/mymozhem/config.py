"""The settings of the host: read once from `MYMOZHEM_*` variables, frozen afterwards."""

import os
from datetime import UTC, tzinfo
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Literal, NamedTuple, Self
from urllib.parse import quote, urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

DATABASE_FILE = "mymozhem.sqlite3"


def default_data_dir() -> Path:
    """Return the data folder of this user's programs, by the XDG base directory rules."""
    home = os.environ.get("XDG_DATA_HOME") or "~/.local/share"
    return Path(home).expanduser() / "mymozhem"


def sqlite_url(file: Path) -> str:
    """Return the URL of a SQLite file, whose path may contain any character."""
    return f"sqlite:///{quote(str(file))}"


def http_url(host: str, port: int) -> str:
    """Return the URL of a host; an IPv6 address gets its brackets."""
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def zone_of(name: str) -> tzinfo:
    """Return the time zone with a name; ValueError if it is unknown."""
    if name == "UTC":
        return UTC  # works on systems without a time zone database, too
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        message = f"there is no time zone {name!r}; write one like Europe/Helsinki"
        raise ValueError(message) from None


def _is_address(url: str) -> bool:
    """Return whether a URL names a host and, if any, a port; without user, query and fragment."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return False
    if not parts.hostname or port == 0 or parts.username is not None or parts.query:
        return False
    return parts.netloc.startswith("[") or parts.netloc.count(":") <= 1


def _is_smtp_server(url: str) -> bool:
    """Return whether a URL is that of a mail server; a message never repeats its password."""
    try:
        parts = urlsplit(url)
        return parts.scheme in {"smtp", "smtps"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


_PORTS = {"http": 80, "https": 443}


class AllowedOrigin(NamedTuple):
    """An origin whose pages may call the API; with an `app_id`, as long as that app works."""

    origin: str
    app_id: str | None = None

    @classmethod
    def parse(cls, text: str) -> "AllowedOrigin":
        """Read `https://pages.example.com` or `raffle=https://pages.example.com`; else ValueError.

        Wildcards and `null` are refused, because anybody's page could then call.
        """
        app_id, found, origin = text.rpartition("=")
        if found and not app_id:
            raise ValueError(f"write an app id before the = of {text!r}")
        url = urlsplit(origin)
        bare = not (url.path.strip("/") or url.query or url.fragment or url.username)
        if url.scheme not in _PORTS or not url.hostname or "*" in url.netloc or not bare:
            message = f"write an exact origin such as https://pages.example.com, not {origin!r}"
            raise ValueError(message)
        return cls(origin_of(origin), app_id or None)


def origin_of(address: str) -> str:
    """Return the origin of an http address, as a browser sends it."""
    url = urlsplit(address)
    host = (url.hostname or "").encode("idna").decode() if url.hostname else ""
    host = f"[{host}]" if ":" in host else host
    port = url.port
    shown = "" if port is None or port == _PORTS.get(url.scheme) else f":{port}"
    return f"{url.scheme}://{host}{shown}"


class Settings(BaseSettings):
    """Every setting of the host; each is read from `MYMOZHEM_` and its name in capitals.

    Raises pydantic's `ValidationError`, which names the variable, if a value breaks its rule.
    """

    model_config = SettingsConfigDict(
        env_prefix="MYMOZHEM_",
        frozen=True,
        extra="ignore",
        hide_input_in_errors=True,  # some are passwords
    )

    host: str = Field(
        default="127.0.0.1",
        description="Address to listen on; 0.0.0.0 for every network of the machine.",
    )
    port: int = Field(default=8000, ge=0, le=65_535, description="Port to listen on; 0 for any.")
    public_url: str | None = Field(
        default=None,
        pattern=r"^https?://",
        description="Address under which people reach this host; by default made of host and port.",
    )
    data_dir: Path = Field(
        default_factory=default_data_dir,
        description="Folder of the database file, its lock and the generated keys.",
    )
    environments_dir: Path | None = Field(
        default=None,
        description="Folder of the environments of isolated apps, which the user that runs them "
        "can read; by default beside the data folder.",
    )
    database_url: str | None = Field(
        default=None,
        repr=False,  # it may hold a password
        description="sqlite:///… or postgresql://…; by default a SQLite file in the data folder.",
    )
    enable_apps: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(),
        description="App ids, comma separated, that may run inside this process and are trusted.",
    )
    allow_networks: Annotated[tuple[IPv4Network | IPv6Network, ...], NoDecode] = Field(
        default=(),
        description="Private networks, comma separated, in which remote apps may run.",
    )
    cors_origins: Annotated[tuple[AllowedOrigin, ...], NoDecode] = Field(
        default=(),
        description="Origins, comma separated, whose pages may call the API; APP_ID=ORIGIN as long "
        "as that app works.",
    )
    environment: Literal["production", "demo", "test"] = Field(
        default="production",
        description="Purpose of the host; demo and test allow more than production.",
    )
    room_creation: Literal["registered", "admins"] = Field(
        default="registered",
        description="Who may create rooms: every registered user, or administrators only.",
    )
    sign_up: Literal["closed", "invitation", "open"] = Field(
        default="invitation",
        description="How people get an account: only from the command line, with an invitation by "
        "an administrator, or with one that anybody requests by mail.",
    )
    sign_up_domains: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(),
        description="Domains of the addresses that may sign up if sign_up is open; empty for all.",
    )
    secret_key: SecretStr | None = Field(
        default=None,
        description="Secret behind tokens and sealed draws; by default a generated key file.",
    )
    access_token_minutes: int = Field(
        default=15, ge=1, le=60, description="Minutes for which an access token is valid."
    )
    refresh_token_days: int = Field(
        default=30, ge=1, le=365, description="Days for which an unused session can be renewed."
    )
    guest_token_hours: int = Field(
        default=12, ge=1, le=72, description="Hours for which a guest's token is valid."
    )
    app_token_minutes: int = Field(
        default=15, ge=1, le=60, description="Minutes for which a remote app's token is valid."
    )
    app_secret_grace_hours: int = Field(
        default=24,
        ge=0,
        le=720,
        description="Hours for which a remote app's old secret stays valid after a rotation.",
    )
    idempotency_hours: int = Field(
        default=24, ge=1, le=168, description="Hours for which a repeated request is recognized."
    )
    action_budget_ms: int = Field(
        default=5_000,
        ge=100,
        le=30_000,
        description="Deadline of an action in milliseconds, including all calls.",
    )
    max_deadline_ms: int = Field(
        default=30_000,
        ge=100,
        le=30_000,
        description="Longest deadline of one call, in milliseconds, that a manifest may set.",
    )
    delivery_attempts: int = Field(
        default=3,
        ge=1,
        le=20,
        description="Attempts before a delivery becomes a dead letter.",
    )
    delivery_wait_seconds: int = Field(
        default=30, ge=0, le=3_600, description="Seconds between the first and the second attempt."
    )
    delivery_wait_growth: int = Field(
        default=20, ge=1, le=100, description="Factor by which each further wait is longer."
    )
    deliveries_at_once: int = Field(
        default=16,
        ge=1,
        le=256,
        description="Deliveries that one process sends concurrently.",
    )
    delivered_days: int = Field(
        default=7, ge=1, le=3_650, description="Days for which completed deliveries are kept."
    )
    dead_letter_days: int = Field(
        default=30, ge=1, le=3_650, description="Days for which dead letters are kept."
    )
    isolated_automatically: bool = Field(
        default=True,
        description="Whether the host automatically installs the version that rooms are locked to "
        "as an isolated app, if an upgraded plugin no longer serves it.",
    )
    isolated_user: str | None = Field(
        default=None,
        description="User that isolated apps run as if the host runs as root; by default nobody. "
        "They run as root only if this is root.",
    )
    isolated_memory_mb: int = Field(
        default=1_024,
        ge=128,
        le=65_536,
        description="Megabytes of address space that one isolated app may use.",
    )
    isolated_idle_seconds: int = Field(
        default=300,
        ge=1,
        le=86_400,
        description="Seconds after its last call after which an isolated app is stopped.",
    )
    isolated_start_seconds: int = Field(
        default=10, ge=1, le=120, description="Seconds within which an isolated app must start."
    )
    rate_limits_enabled: bool = Field(
        default=True, description="Whether requests are limited; switch off in tests only."
    )
    per_user_per_minute: int = Field(
        default=500, ge=1, description="Requests that one user may make in a minute."
    )
    per_app_per_minute: int = Field(
        default=1_000, ge=1, description="Requests that one remote app may make in a minute."
    )
    failures_per_address_per_minute: int = Field(
        default=20, ge=1, description="Failed sign-ins that one address may make in a minute."
    )
    sign_in_delay_ms: int = Field(
        default=3_000,
        ge=100,
        le=60_000,
        description="Milliseconds between two attempts to sign in, once an address or an account "
        "has had too many failures.",
    )
    max_connections: int = Field(
        default=8_000,
        ge=16,
        le=1_000_000,
        description="Connections that may be open; for a new one, the one that waits longest for a "
        "request is closed.",
    )
    max_connections_per_address: int = Field(
        default=4_000,
        ge=8,
        le=1_000_000,
        description="Connections from one address; a venue is one address. Not for trusted "
        "proxies.",
    )
    max_head_bytes: int = Field(
        default=32_768,
        ge=4_096,
        le=1_048_576,
        description="Bytes of the request line and the headers of a request.",
    )
    max_header_lines: int = Field(
        default=100, ge=16, le=10_000, description="Header lines of a request."
    )
    head_seconds: int = Field(
        default=10,
        ge=1,
        le=300,
        description="Seconds within which the headers of a request must arrive.",
    )
    body_seconds: int = Field(
        default=60,
        ge=1,
        le=3_600,
        description="Seconds within which the body of a request must arrive, and within which a "
        "client must read.",
    )
    end_if_blocked_seconds: int = Field(
        default=0,
        ge=0,
        le=3_600,
        description="Seconds after which a process whose event loop is blocked ends, so that a "
        "supervisor starts it again; 0 for never.",
    )
    metrics_token: SecretStr | None = Field(
        default=None,
        min_length=16,
        description="Bearer token for /metrics; without one, only this machine may read it.",
    )
    smtp_url: SecretStr | None = Field(
        default=None,
        description="Mail server for alerts: smtp://user:password@host:port, or smtps://.",
    )
    mail_from: str | None = Field(
        default=None,
        pattern=r"^[^\s@<>]+@[^\s@<>]+$",
        description="Sender address of mails; required with a mail server.",
    )
    time_zone: str = Field(
        default="UTC", description="Time zone of the operators, such as Europe/Helsinki."
    )
    quiet_hours: str = Field(
        default="22:00-08:00",
        pattern=r"^(([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d)?$",
        description="Hours in which warnings wait for one mail in the morning; empty for none.",
    )
    log_format: Literal["text", "json"] = Field(
        default="text", description="Log lines for people or for programs."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="Least severity that is logged."
    )

    @field_validator("sign_up_domains")
    @classmethod
    def _domains(cls, given: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(domain.lower().removeprefix("@") for domain in given)

    @field_validator("enable_apps", "allow_networks", "sign_up_domains", mode="before")
    @classmethod
    def _split(cls, given: object) -> object:
        if not isinstance(given, str):
            return given
        return tuple(part for part in (item.strip() for item in given.split(",")) if part)

    @field_validator("cors_origins", mode="before")
    @classmethod
    def _origins(cls, given: object) -> object:
        if not isinstance(given, str):
            return given
        return tuple(AllowedOrigin.parse(part.strip()) for part in given.split(",") if part.strip())

    @field_validator("data_dir", "environments_dir")
    @classmethod
    def _expand(cls, given: Path | None) -> Path | None:
        return None if given is None else given.expanduser()

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, given: str) -> str:
        zone_of(given)
        return given

    @field_validator("public_url")
    @classmethod
    def _address_of_a_host(cls, given: str | None) -> str | None:
        if given is not None and not _is_address(given):
            message = (
                "write an address like https://events.example.org, or http://[2001:db8::1]:8000 "
                "with brackets around an IPv6 address"
            )
            raise ValueError(message)
        return given

    @field_validator("smtp_url")
    @classmethod
    def _smtp_server(cls, given: SecretStr | None) -> SecretStr | None:
        if given is not None and not _is_smtp_server(given.get_secret_value()):
            message = (
                "write smtp://user:password@host:port, or smtps:// for TLS from the start; special "
                "characters of the password as %40 and so on"
            )
            raise ValueError(message)
        return given

    @model_validator(mode="after")
    def _mails_have_a_sender(self) -> Self:
        if self.smtp_url is not None and self.mail_from is None:
            message = "set MYMOZHEM_MAIL_FROM as well: mails need a sender address"
            raise ValueError(message)
        return self

    @property
    def effective_database_url(self) -> str:
        """Return the URL of the database: the setting, or the file in the data folder."""
        if self.database_url is not None:
            return self.database_url
        return sqlite_url(self.data_dir / DATABASE_FILE)

    @property
    def isolated_dir(self) -> Path:
        """Return the folder of the environments of isolated apps: not in the data folder.

        The data folder is closed to the user that runs isolated apps.
        """
        if self.environments_dir is not None:
            return self.environments_dir
        data = self.data_dir.absolute()
        return data.parent / f"{data.name}-environments"

    @property
    def effective_public_url(self) -> str:
        """Return the address that people use, without a slash at the end."""
        return (self.public_url or http_url(self.host, self.port)).rstrip("/")

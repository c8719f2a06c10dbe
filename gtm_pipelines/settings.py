"""The only reader of the environment and of ``.env``. Everything else is handed a :class:`Settings`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, ValidationError

from connectors.runtime.private_databases import PrivateDatabases

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from pydantic_core import ErrorDetails

PROJECT_ROOT = Path(__file__).resolve().parents[1]


_MEMORY, _LEVEL, _COUNTRY = r"^\d+(MB|GB)$", r"^(DEBUG|INFO|WARNING|ERROR)$", r"^[A-Z]{2}$"
_WRITTEN = {
    _MEMORY: "write a size as in 192MB or 1GB",
    _LEVEL: "write DEBUG, INFO, WARNING or ERROR",
    _COUNTRY: "write a country in two capital letters, as in US",
}


class SettingsError(ValueError):
    """The environment holds a setting that cannot be used; the message names each variable at once."""


def _rooted(home: Path) -> Path:
    rooted = home.absolute()
    if set("?#%") & set(str(rooted)):
        raise ValueError(f"{rooted} becomes part of database addresses, where ? # % mean something: choose another")
    return rooted


def _of_postgres(url: str) -> str:
    """Refuse what Dagster could not open, or would open with another driver; nothing of the address is repeated."""
    scheme, separator, rest = url.partition("://")
    if scheme not in {"postgresql", "postgres"} or not separator or rest.partition("?")[0].count("@") > 1:
        raise ValueError(
            "write postgresql://user:password@host/database, with @ : / ? # % in the password percent-encoded"
        )
    return url


def _readable(databases: tuple[str, ...]) -> tuple[str, ...]:
    return PrivateDatabases(databases).allowed


class Settings(BaseModel):
    """Where things are and how much of the machine they may use."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    home: Annotated[Path, AfterValidator(_rooted)] = Field(default=Path(".gtm"), validate_default=True)
    encryption_key: SecretStr | None = None
    previous_keys: tuple[SecretStr, ...] = ()  # open what an older key sealed, and seal nothing
    control_url: str | None = None
    warehouse_url: str | None = None
    dagster_url: Annotated[str, AfterValidator(_of_postgres)] | None = None
    sandbox_url: str | None = None
    private_databases: Annotated[tuple[str, ...], AfterValidator(_readable)] = ()  # nothing private is read without
    shard_size: int = Field(default=25, ge=1, le=500)
    tenant_threads: int = Field(default=2, ge=1, le=16)
    duckdb_memory: str = Field(default="192MB", pattern=_MEMORY)  # of a sync or a query: the process stays < 512 MB
    refine_memory: str = Field(default="1GB", pattern=_MEMORY)  # of a refinement, which joins and sorts
    log_level: str = Field(default="INFO", pattern=_LEVEL)
    default_region: str = Field(default="US", pattern=_COUNTRY)

    @property
    def worlds_dir(self) -> Path:
        """The sandbox's worlds: what there is of databases in here may be read, when it is allowed by name."""
        return self.home / "sandbox"

    @property
    def warehouse_dir(self) -> Path:
        """Private warehouse files, one per tenant; only the pipeline opens them."""
        return self.home / "warehouse"

    @property
    def published_dir(self) -> Path:
        """Read-only copies for analysts, one per tenant, replaced atomically."""
        return self.home / "published"

    @property
    def runs_dir(self) -> Path:
        """Scratch directories, one per sync, thrown away at its end."""
        return self.home / "runs"

    @property
    def control_database_url(self) -> str:
        """SQLAlchemy URL of the control plane; SQLite in ``home`` unless ``GTM_CONTROL_URL`` is set."""
        return self.control_url or f"sqlite:///{self.home / 'control.db'}"


_VARIABLES = {
    "home": "GTM_HOME",
    "encryption_key": "CONNECTOR_ENCRYPTION_KEY",
    "previous_keys": "CONNECTOR_PREVIOUS_ENCRYPTION_KEYS",
    "control_url": "GTM_CONTROL_URL",
    "warehouse_url": "GTM_WAREHOUSE_URL",
    "dagster_url": "GTM_DAGSTER_URL",
    "sandbox_url": "GTM_SANDBOX_URL",
    "private_databases": "GTM_PRIVATE_DATABASES",
    "shard_size": "GTM_SHARD_SIZE",
    "tenant_threads": "GTM_TENANT_THREADS",
    "duckdb_memory": "GTM_DUCKDB_MEMORY",
    "refine_memory": "GTM_REFINE_MEMORY",
    "log_level": "GTM_LOG_LEVEL",
    "default_region": "GTM_DEFAULT_REGION",
}


def read_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """Read settings from ``environ`` (the process's own by default); raise SettingsError naming every bad variable."""
    source = os.environ if environ is None else environ
    given: dict[str, Any] = {name: source[variable] for name, variable in _VARIABLES.items() if source.get(variable)}
    for name in ("previous_keys", "private_databases"):
        if name in given:
            given[name] = [each.strip() for each in given[name].split(",") if each.strip()]
    try:
        return Settings.model_validate(given)
    except ValidationError as error:
        faults = "; ".join(f"{_VARIABLES[str(e['loc'][0])]}: {_words(e)}" for e in error.errors(include_input=False))
        raise SettingsError(f"settings cannot be used: {faults}") from None


def _words(fault: ErrorDetails) -> str:
    return _WRITTEN.get(fault.get("ctx", {}).get("pattern", ""), fault["msg"].removeprefix("Value error, "))


def environment(root: Path = PROJECT_ROOT) -> dict[str, str]:
    """Return the process's environment laid over the project's ``.env``: a variable that is really set wins."""
    return {**read_env_file(root / ".env"), **os.environ}


def use_env_file(root: Path = PROJECT_ROOT, **defaults: str) -> None:
    """Fill the environment of this process and its children from ``.env``, then ``defaults``; what is set stays."""
    for name, value in {**defaults, **read_env_file(root / ".env")}.items():
        os.environ.setdefault(name, value)


def use_variable(name: str, value: str, *, instead_of: Collection[str] = ()) -> None:
    """Set a variable of this process and its children that is empty or one of ``instead_of``; another value stays."""
    if os.environ.get(name, "") in {"", *instead_of}:
        os.environ[name] = value


def read_env_file(path: Path) -> dict[str, str]:
    """Read ``NAME=value`` lines; blank lines and ``#`` comments are left out, one pair of quotes is taken off."""
    if not path.is_file():
        return {}
    read: dict[str, str] = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        text = line.strip().removeprefix("export ")
        if not text or text.startswith("#"):
            continue
        name, equals, value = text.partition("=")
        if not equals or not name.strip().isidentifier():
            raise SettingsError(f"{path} line {number}: write NAME=value, or start the line with #")
        value = value.strip()
        quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "'\""
        read[name.strip()] = value[1:-1] if quoted else value
    return read

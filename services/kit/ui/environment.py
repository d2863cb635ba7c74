"""The Jinja environment of every page: autoescape for all, strict names, shared layout, macros and filters.

Every template knows the components of govuk-frontend-jinja by name (`govukButton`, `govukInput` ...); ours are
imported from `macros.html`. Components that take `html` trust it: give them the output of a macro, never a value.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final, Protocol
from urllib.parse import urlsplit

from fastapi import Request
from fastapi.templating import Jinja2Templates
from jinja2 import Environment, FileSystemLoader, PackageLoader, PrefixLoader, StrictUndefined

from schemas.words import body_words, date_words, event_title
from services.kit.ui.words import datetime_words, days_left

_HERE = Path(__file__).parent
STATIC = _HERE / "static"
# Those that `assets/app.scss` has styles for; `header` and `footer` carry GOV.UK's crown and crest, and are not among them.
COMPONENTS = (
    "button",
    "checkboxes",
    "date-input",
    "details",
    "error-message",
    "error-summary",
    "fieldset",
    "generic-header",
    "hint",
    "input",
    "inset-text",
    "label",
    "pagination",
    "panel",
    "phase-banner",
    "radios",
    "select",
    "service-navigation",
    "skip-link",
    "summary-list",
    "table",
    "tag",
    "textarea",
    "warning-text",
)


@dataclass(frozen=True)
class Navigation:
    """Where the pages live; each belongs to the service that owns its data, so most addresses are absolute.

    `accessibility` and `privacy` are pages of the operator's own, linked in the footer; empty for none. The layout marks the entry whose field name a page gives as `current`, for example "desk".
    """

    home: str
    desk: str
    cases: str
    considered: str
    log: str
    sign_in: str
    sign_out: str
    receipts: str
    reads: str
    demo: bool = False
    accessibility: str = ""
    privacy: str = ""

    @property
    def origins(self) -> tuple[str, ...]:
        """The origins of all these addresses, sorted, each once; root-relative ones have none."""
        pages = (self.home, self.desk, self.cases, self.considered, self.log, self.receipts, self.reads)
        addresses = (*pages, self.sign_in, self.sign_out)
        parts = [urlsplit(address) for address in addresses]
        return tuple(sorted({f"{part.scheme}://{part.netloc}" for part in parts if part.netloc}))


class Places(Protocol):
    """Where the services are, as browsers see them, without a slash at the end."""

    @property
    def front_url(self) -> str:
        """Of sign-in and the start page."""

    @property
    def intake_url(self) -> str:
        """Of receipts and reads."""

    @property
    def routing_url(self) -> str:
        """Of cases."""

    @property
    def deadlines_url(self) -> str:
        """Of the desk."""

    @property
    def audit_url(self) -> str:
        """Of the log."""

    @property
    def demo(self) -> bool:
        """Say whether everything in it is made up."""

    @property
    def accessibility_url(self) -> str:
        """Of the operator's accessibility statement; empty for none."""

    @property
    def privacy_url(self) -> str:
        """Of the operator's privacy notice; empty for none."""


def navigation_of(places: Places) -> Navigation:
    """Return where the pages are, given where the services are."""
    return Navigation(
        home=f"{places.front_url}/",
        desk=f"{places.deadlines_url}/desk",
        cases=f"{places.routing_url}/case",
        considered=f"{places.routing_url}/considered",
        log=f"{places.audit_url}/log",
        sign_in=f"{places.front_url}/sign-in",
        sign_out=f"{places.front_url}/sign-out",
        receipts=f"{places.intake_url}/receipts",
        reads=f"{places.intake_url}/reads",
        demo=places.demo,
        accessibility=places.accessibility_url,
        privacy=places.privacy_url,
    )


def build_environment(extra_dirs: Sequence[Path] = ()) -> Environment:
    """Return the environment; a template in `extra_dirs` wins over a shared one of the same name."""
    environment = Environment(
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        loader=FileSystemLoader([*extra_dirs, _HERE / "templates"]),
    )
    environment.globals.update(_MACROS)
    environment.filters.update(
        body_words=body_words,
        date_words=date_words,
        datetime_words=datetime_words,
        days_left=days_left,
        event_title=event_title,
    )
    environment.globals.update(stylesheet=static_url("app.css"), current="")
    return environment


def _components() -> Mapping[str, object]:
    """Return the GOV.UK components by name, such as `govukButton`.

    They have an environment of their own, because they read options that were left out, which ours forbids.
    """
    loader = PrefixLoader({"govuk_frontend_jinja": PackageLoader("govuk_frontend_jinja")})
    environment = Environment(autoescape=True, loader=loader)
    macros: dict[str, object] = {}
    for component in COMPONENTS:
        macro = "govuk" + component.title().replace("-", "")
        template = environment.get_template(f"govuk_frontend_jinja/components/{component}/macro.html")
        macros[macro] = getattr(template.module, macro)
    return macros


_MACROS: Final = _components()  # on import, so that what forks services compiles them once for all


def build_templates(*extra_dirs: Path, navigation: Navigation) -> Jinja2Templates:
    """Return the templates of one service; every page is also given `nav` and `person`.

    `person` is `request.state.principal` (anything with `name` and `role`), or none before signing in.
    """

    def shared(request: Request) -> dict[str, object]:
        return {"nav": navigation, "person": getattr(request.state, "principal", None)}

    return Jinja2Templates(env=build_environment(extra_dirs), context_processors=[shared])


def static_url(name: str) -> str:
    """Return the address of a shipped file; it changes with the content, so that it can be cached for ever."""
    digest = sha256((STATIC / name).read_bytes()).hexdigest()[:16]
    return f"/static/{name}?v={digest}"

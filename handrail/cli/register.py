"""`handrail register extend`: take areas and who serves them from lists of the Office for National Statistics and the DfE."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from services.kit.files import replace
from services.routing.domain import area_lists
from services.routing.domain.register import parse_register
from services.routing.domain.rulebook.tree import Text

app = typer.Typer(help="The register of areas and bodies: who can be told.", no_args_is_help=True)
_KINDS = {"police": "police force", "icb": "integrated care board", "csp": "community safety partnership"}


@app.command("extend")
def extend(
    lists: Annotated[list[Path], typer.Argument(help="Lists as CSV, with columns such as LAD23CD and LAD23NM.")],
    register: Annotated[Path, typer.Option(help="The register.")] = Path("rulebooks/register/areas.yaml"),
    write: Annotated[
        bool, typer.Option("--write", help="Write it; without this, only say what would be added.")
    ] = False,
) -> None:
    """Add the areas that a register lacks, with whoever serves them.

    Three lists of the Open Geography Portal say all that is needed: lower tier to upper tier local authorities (LTLA,
    UTLA), districts to community safety partnerships to police force areas (LAD, CSP, PFA), and one with districts and
    integrated care boards (LAD, ICB). A data file of the DfE's statistics (new_la_code, la_name) has the authorities.
    What stands in the register stays as it is; what is added is marked as not verified.
    """
    text = _text(register)
    known = parse_register(text, str(register))
    found = area_lists.extend(known, [area_lists.read_list(_text(each), each.name) for each in lists])
    extended = area_lists.written(known, Text(str(register), text), found, [each.name for each in lists])
    for code, name in found.areas.items():
        typer.echo(f"area   {code} {name}")
    for body in found.bodies.values():
        typer.echo(f"body   {body.id}: {body.name}, for {', '.join(body.areas)}")
    for identifier, codes in found.served.items():
        typer.echo(f"serves {identifier}: also {', '.join(codes)}")
    for kind, codes in found.nobody.items():
        typer.echo(f"nobody {_KINDS[kind]} in no list for {', '.join(codes)}: add it by hand, else nobody is told")
    if found.several:
        areas = ", ".join(found.several)
        typer.echo(f"nobody {areas}: several community safety partnerships; add by hand the one that is to be told")
    for code, name in found.unplaced.items():
        typer.echo(f"left   district {code} {name}: no list says in which county it lies")
    if write and extended != text:
        replace(register, extended)
        typer.echo(f"wrote {register}; give it a new version, and check the names before real use")
    elif not found.areas:
        typer.echo("Nothing to add.")
    else:
        typer.echo("Nothing was written: add --write.")


def _text(file: Path) -> str:
    try:
        return file.read_text("utf-8")
    except UnicodeDecodeError as error:
        raise area_lists.ListRefused(f"{file} is not text in UTF-8: save it as that") from error

"""The command `driftline lineage atlas`: writes types and entities for Apache Atlas as files."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from driftline import output_files

lineage = typer.Typer(help="Export lineage; requires DB_USER and DB_PASSWORD.", no_args_is_help=True)

FOLDER = Annotated[Path, typer.Argument(help="Folder of the files; it is created.", show_default=False)]
MODEL = Annotated[list[str] | None, typer.Option(help="Name of a model, once for each (default: all).")]
NAMESPACE = Annotated[str, typer.Option(help="End of each qualified name: one for each installation.")]
TYPES, ENTITIES = "types.json", "entities.json"


@lineage.callback()
def _group() -> None:
    """Have a group although it has one command, so that others can be added."""


@lineage.command()
def atlas(folder: FOLDER, model: MODEL = None, namespace: NAMESPACE = "driftline") -> None:
    """Write models, versions, sources and results as entities of Apache Atlas; no server is contacted."""
    from driftline.atlas.catalog import read_model  # noqa: PLC0415  (only this command needs a database)
    from driftline.atlas.entities import entities_of  # noqa: PLC0415
    from driftline.atlas.types import type_definitions  # noqa: PLC0415
    from driftline.settings import DatabaseSettings  # noqa: PLC0415
    from driftline.store import migrate  # noqa: PLC0415
    from driftline.store.database import make_engine, translated  # noqa: PLC0415
    from driftline.store.versions.model_list import list_models  # noqa: PLC0415

    engine = make_engine(DatabaseSettings())
    migrate.require_current(engine)
    with translated(), engine.connect() as connection:
        names = model or [summary.name for summary in list_models(connection)]
        exported = entities_of([read_model(connection, name) for name in names], namespace)
    folder.mkdir(parents=True, exist_ok=True)
    output_files.write({folder / TYPES: _json(type_definitions()), folder / ENTITIES: _json(exported)})
    typer.echo(f"{len(names):,} models, {len(exported['entities']):,} entities: {folder / ENTITIES}")


def _json(content: dict[str, Any]) -> str:
    return json.dumps(content, indent=2) + "\n"

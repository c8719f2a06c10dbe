"""A connector's field catalogue: the fields its manifest names, joined with where its default mapping takes them.

Reads ``mapping.yml`` only as far as the catalogue needs; whether it fits our model is judged where that model is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from connectors.connector import FieldMapping
from connectors.declarative.strict_yaml import load_file

if TYPE_CHECKING:
    from pathlib import Path

    from connectors.manifest import Manifest


def default_schema(manifest: Manifest, mapping: Path) -> list[FieldMapping]:
    """Return every known field; a field mapped to two targets stands there twice, an unmapped one without a target."""
    types = {(spec.name, field.source): field for spec in manifest.entities for field in spec.fields}
    mapped = list(_mapped(load_file(mapping).data)) if mapping.exists() else []
    found = [
        FieldMapping(
            entity=entity,
            source=source,
            type=types[entity, source].type if (entity, source) in types else "string",
            label=types[entity, source].label if (entity, source) in types else "",
            target=target,
            field=field,
            transform=transform,
        )
        for entity, source, target, field, transform in mapped
    ]
    known = {(entry.entity, entry.source) for entry in found}
    rest = [
        FieldMapping(entity=entity, source=field.source, type=field.type, label=field.label)
        for (entity, source), field in types.items()
        if (entity, source) not in known
    ]
    return found + rest


def _mapped(data: Any) -> Iterator[tuple[str, str, str, str, str]]:
    entities = data.get("entities") if isinstance(data, Mapping) else None
    for entity, targets in (entities or {}).items():
        for target in targets or []:
            fields = {
                **target.get("fields", {}),
                **{f"properties.{k}": v for k, v in target.get("properties", {}).items()},
            }
            for field, spec in fields.items():
                described = spec if isinstance(spec, Mapping) else {"source": spec}
                sources = described.get("source", [])
                for source in sources if isinstance(sources, list) else [sources]:
                    yield entity, str(source), str(target["target"]), field, str(described.get("transform", "none"))

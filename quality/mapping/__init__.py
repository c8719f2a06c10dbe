"""Mappings: which canonical rows a vendor's record becomes, as data (docs/mappings.md) compiled to SQL."""

from quality.mapping.loading import MappingError, Override, OverrideLike, load_mapping, overlay, parse_mapping
from quality.mapping.model import Condition, Mapping, Reference, Target, Transform, Value
from quality.mapping.projection import compile_projection

__all__ = [
    "Condition",
    "Mapping",
    "MappingError",
    "Override",
    "OverrideLike",
    "Reference",
    "Target",
    "Transform",
    "Value",
    "compile_projection",
    "load_mapping",
    "overlay",
    "parse_mapping",
]

"""The asset graph as text: what a reviewer reads to see what changed."""

from __future__ import annotations

import dagster as dg


def graph_text(definitions: dg.Definitions) -> str:
    """Return assets with group, kinds, owners, upstream and checks, then jobs, schedules and sensors."""
    graph = definitions.resolve_asset_graph()
    lines = ["# The asset graph. Written by `python -m tests.graph.write`; reviewed like code.", ""]
    for key in sorted(graph.get_all_asset_keys(), key=lambda key: key.to_user_string()):
        node = graph.get(key)
        partitions = (
            node.partitions_def.name if isinstance(node.partitions_def, dg.DynamicPartitionsDefinition) else "-"
        )
        lines.append(key.to_user_string())
        lines.append(
            f"  group {node.group_name}, kinds {' '.join(sorted(node.kinds))}, owners {' '.join(sorted(node.owners))}, "
            f"partitions {partitions}"
        )
        parents = sorted(parent.to_user_string() for parent in node.parent_keys)
        if parents:
            lines.append(f"  from {', '.join(parents)}")
        checks = sorted(check.name for check in node.check_keys)
        if checks:
            lines.append(f"  checks {', '.join(checks)}")
    lines.append("")
    repository = definitions.get_repository_def()
    jobs = sorted(name for name in repository.job_names if not name.startswith("__"))
    lines += [f"job {name}" for name in jobs]
    lines += [f"schedule {s.name}: {s.cron_schedule}" for s in sorted(repository.schedule_defs, key=lambda s: s.name)]
    lines += [f"sensor {s.name}" for s in sorted(repository.sensor_defs, key=lambda s: s.name)]
    return "\n".join(lines) + "\n"

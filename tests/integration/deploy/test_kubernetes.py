"""The values for Dagster's own chart: words it knows, the limits of the instance file, nobody root."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import Any

import pytest
import yaml

from gtm_pipelines.settings import PROJECT_ROOT

DEPLOY = PROJECT_ROOT / "deploy"


@cache
def values() -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load((DEPLOY / "kubernetes" / "values.yaml").read_text())
    return read


@cache
def instance() -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load((DEPLOY / "dagster" / "dagster.yaml").read_text())
    return read


# What the chart's own schema has (dagster-io/dagster, helm/dagster/schema) for the parts used here.
CHART = {
    "": {
        "global", "generatePostgresqlPasswordSecret", "postgresql", "dagster-user-deployments", "runLauncher",
        "dagsterDaemon", "dagsterWebserver", "retention", "telemetry",
    },
    "global": {"postgresqlSecretName", "dagsterHome", "serviceAccountName", "celeryConfigSecretName"},
    "postgresql": {
        "image", "enabled", "postgresqlHost", "postgresqlUsername", "postgresqlPassword", "postgresqlDatabase",
        "postgresqlParams", "postgresqlScheme", "service",
    },
    "dagster-user-deployments": {"enabled", "enableSubchart", "imagePullSecrets", "deployments"},
    "dagster-user-deployments.deployments": {
        "name", "image", "dagsterApiGrpcArgs", "codeServerArgs", "includeConfigInLaunchedRuns", "port", "env",
        "envConfigMaps", "envSecrets", "annotations", "nodeSelector", "affinity", "tolerations", "podSecurityContext",
        "securityContext", "resources", "livenessProbe", "readinessProbe", "startupProbe", "labels", "volumeMounts",
        "volumes", "schedulerName",
    },
    "runLauncher.config.k8sRunLauncher": {
        "image", "imagePullPolicy", "jobNamespace", "loadInclusterConfig", "kubeconfigFile", "envConfigMaps",
        "envSecrets", "envVars", "volumeMounts", "volumes", "labels", "failPodOnRunFailure", "resources",
        "schedulerName", "securityContext", "runK8sConfig",
    },
    "runLauncher.config.k8sRunLauncher.runK8sConfig": {
        "containerConfig", "podSpecConfig", "podTemplateSpecMetadata", "jobSpecConfig", "jobMetadata",
    },
    "dagsterDaemon": {
        "enabled", "image", "runCoordinator", "heartbeatTolerance", "env", "envConfigMaps", "envSecrets",
        "podSecurityContext", "securityContext", "resources", "volumes", "volumeMounts", "runMonitoring", "runRetries",
        "sensors", "schedules",
    },
    "dagsterDaemon.runCoordinator.config.queuedRunCoordinator": {
        "maxConcurrentRuns", "tagConcurrencyLimits", "dequeueIntervalSeconds", "dequeueNumWorkers", "dequeueUseThreads",
    },
    "dagsterDaemon.runRetries": {"enabled", "maxRetries", "retryOnAssetOrOpFailure"},
    "dagsterDaemon.sensors": {"useThreads", "numWorkers", "numSubmitWorkers"},
    "dagsterDaemon.schedules": {"useThreads", "numWorkers", "numSubmitWorkers"},
    "dagsterWebserver": {
        "replicaCount", "image", "service", "workspace", "env", "envSecrets", "podSecurityContext", "securityContext",
        "resources", "pathPrefix", "enableReadOnly",
    },
    "dagsterWebserver.service": {"type", "port", "annotations"},
    "retention": {"enabled", "sensor", "schedule", "autoMaterialize"},
    "telemetry": {"enabled"},
}  # fmt: skip


def at(path: str) -> dict[str, Any]:
    part: Any = values()
    for name in filter(None, path.split(".")):
        part = part[name]
    return dict(part[0] if isinstance(part, list) else part)


@pytest.mark.parametrize("path", CHART)
def test_the_chart_knows_every_key_of_the_values(path: str) -> None:
    assert at(path).keys() - CHART[path] == set()


def snake(name: str) -> str:
    return re.sub(r"(?<!^)([A-Z])", r"_\1", name).lower()


def test_kubernetes_and_compose_run_under_the_same_limits() -> None:
    queue = at("dagsterDaemon.runCoordinator.config.queuedRunCoordinator")
    runs = instance()["concurrency"]["runs"]
    assert queue["maxConcurrentRuns"] == runs["max_concurrent_runs"]
    assert queue["tagConcurrencyLimits"] == runs["tag_concurrency_limits"]
    given = {snake(name): value for name, value in queue.items() if name.startswith("dequeue")}
    assert given == instance()["run_queue"]
    for here, there in (("runRetries", "run_retries"), ("sensors", "sensors"), ("schedules", "schedules")):
        assert {snake(name): value for name, value in at(f"dagsterDaemon.{here}").items()} == instance()[there]
    monitoring = {snake(name): value for name, value in at("dagsterDaemon.runMonitoring").items()}
    own = {"max_resume_run_attempts": 0}  # that launcher could resume; ours have nothing to set
    unsaid = {"max_runtime_seconds": 43200}  # the chart has no word for it; every job states its own
    assert monitoring | unsaid == instance()["run_monitoring"] | own
    for kind in ("schedule", "sensor"):
        assert at(f"retention.{kind}")["purgeAfterDays"] == instance()["retention"][kind]["purge_after_days"]


def test_kubernetes_runs_what_compose_runs_and_never_as_root() -> None:
    (code,) = values()["dagster-user-deployments"]["deployments"]
    assert code["dagsterApiGrpcArgs"][1] == "gtm_pipelines.definitions"
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    assert code["dagsterApiGrpcArgs"][1] in compose["services"]["code"]["command"]
    parts = [code, values()["dagsterDaemon"], values()["dagsterWebserver"]]
    assert all(part["podSecurityContext"]["runAsNonRoot"] for part in parts)
    assert len({json.dumps(part["image"]) for part in parts}) == 1
    assert values()["postgresql"]["postgresqlScheme"] == "postgresql+psycopg2"
    assert {"name": "gtm-pipelines"} in code["envSecrets"]

"""Raw records to canonical rows: mapping, contract, quarantine; one transaction per entity."""

from gtm_pipelines.refine.contract import ContractFault, check_contract
from gtm_pipelines.refine.reconciliation import Reconciled, reconcile
from gtm_pipelines.refine.report import EntityReport, RefineReport, TargetReport
from gtm_pipelines.refine.tenant import RefineInput, refine_tenant

__all__ = [
    "ContractFault",
    "EntityReport",
    "Reconciled",
    "RefineInput",
    "RefineReport",
    "TargetReport",
    "check_contract",
    "reconcile",
    "refine_tenant",
]

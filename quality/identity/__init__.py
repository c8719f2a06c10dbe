"""Who is who, as data and pure text: keys, rules with their confidence, guards, survivorship, evaluation.

Nothing here reads a table. SQL is returned as text over relations the caller has laid out; the stage that runs it is
``gtm_pipelines.resolution``.
"""

from quality.identity.evaluation import (
    Evaluation,
    Mistake,
    SourcePair,
    evaluate,
    evaluate_by_source,
    pairs_beyond_knowing,
    worst_mistakes,
)
from quality.identity.policy import DEFAULT_POLICY, IdentityPolicy
from quality.identity.rules import ACCOUNT_RULES, PERSON_RULES, Rule
from quality.identity.survivorship import ACCOUNT_FIELDS, PERSON_FIELDS, FieldPolicy

__all__ = [
    "ACCOUNT_FIELDS",
    "ACCOUNT_RULES",
    "DEFAULT_POLICY",
    "PERSON_FIELDS",
    "PERSON_RULES",
    "Evaluation",
    "FieldPolicy",
    "IdentityPolicy",
    "Mistake",
    "Rule",
    "SourcePair",
    "evaluate",
    "evaluate_by_source",
    "pairs_beyond_knowing",
    "worst_mistakes",
]

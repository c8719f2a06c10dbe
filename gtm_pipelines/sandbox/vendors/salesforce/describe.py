"""Describes: the catalogue in the words of Salesforce's ``sobjects`` resources."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gtm_pipelines.sandbox.vendors.salesforce.catalogue import Field, SObject
    from gtm_pipelines.sandbox.vendors.salesforce.soql.translator import Visibility

_LENGTHS = {
    "id": 18, "reference": 18, "email": 80, "phone": 40, "url": 255, "textarea": 32_000, "picklist": 255, "string": 255,
}  # fmt: skip
_SOAP = {
    "id": "tns:ID", "reference": "tns:ID", "boolean": "xsd:boolean", "int": "xsd:int", "double": "xsd:double",
    "currency": "xsd:double", "date": "xsd:date", "datetime": "xsd:dateTime", "address": "urn:address",
}  # fmt: skip
_SYSTEM = frozenset({
    "Id", "IsDeleted", "CreatedDate", "CreatedById", "LastModifiedDate", "LastModifiedById", "SystemModstamp",
    "MasterRecordId",
})  # fmt: skip
_LABELS = {"Opportunity": "Opportunities", "Subscription": "Subscriptions"}
_ABILITIES = (
    "createable", "deletable", "layoutable", "mergeable", "queryable", "replicateable", "retrieveable", "searchable",
    "triggerable", "undeletable", "updateable",
)  # fmt: skip


def _summary(entity: SObject, root: str) -> dict[str, Any]:
    label = entity.name.removesuffix("__c")
    here = f"{root}/sobjects/{entity.name}"
    return {
        "activateable": False,
        "associateEntityType": None,
        "associateParentEntity": None,
        "custom": entity.is_custom,
        "customSetting": False,
        "deprecatedAndHidden": False,
        "keyPrefix": entity.prefix,
        "label": label,
        "labelPlural": _LABELS.get(label, f"{label}s"),
        "name": entity.name,
        **dict.fromkeys(_ABILITIES, True),
        "urls": {"sobject": here, "describe": f"{here}/describe", "rowTemplate": f"{here}/{{ID}}"},
    }


def _field(field: Field) -> dict[str, Any]:
    writable = not field.expression and field.name not in _SYSTEM
    length = _LENGTHS.get(field.type, 0)
    label = "".join(
        f" {char}" if char.isupper() and place else char for place, char in enumerate(field.name.removesuffix("__c"))
    )
    return {
        "aggregatable": field.type not in {"textarea", "address"},
        "autoNumber": False,
        "byteLength": length * 3,
        "calculated": field.calculated,
        "calculatedFormula": None,
        "caseSensitive": field.type == "id",
        "compoundFieldName": _compound(field),
        "createable": writable,
        "custom": field.is_custom,
        "defaultedOnCreate": field.type == "boolean" or field.name in _SYSTEM,
        "deprecatedAndHidden": False,
        "digits": 9 if field.type == "int" else 0,
        "externalId": False,
        "filterable": field.type not in {"textarea", "address"},
        "groupable": field.type in {"string", "picklist", "reference", "boolean", "date", "email", "phone"},
        "idLookup": field.name in {"Id", "Email"},
        "label": label.replace("_", " ").strip(),
        "length": length,
        "name": field.name,
        "nameField": field.name == "Name",
        "nillable": writable and field.type != "boolean" and field.name not in {"LastName", "OwnerId"},
        "permissionable": writable,
        "picklistValues": [],
        "precision": 18 if field.type in {"double", "currency"} else 0,
        "queryByDistance": False,
        "referenceTo": list(field.parents),
        "relationshipName": field.relationship or None,
        "restrictedPicklist": False,
        "scale": 2 if field.type in {"double", "currency"} else 0,
        "soapType": _SOAP.get(field.type, "xsd:string"),
        "sortable": field.type not in {"textarea", "address"},
        "type": field.type,
        "unique": False,
        "updateable": writable,
    }


def _compound(field: Field) -> str | None:
    if field.name in {"FirstName", "LastName", "Salutation"}:
        return "Name"
    for name in ("Mailing", "Billing"):
        if field.name in {f"{name}City", f"{name}Country"}:
            return f"{name}Address"
    return None


def describe(entity: SObject, root: str, visible: Visibility) -> dict[str, Any]:
    """Answer ``sobjects/{X}/describe``; ``root`` is ``/services/data/vXX.X``."""
    return {
        **_summary(entity, root),
        "childRelationships": [],
        "fields": [_field(each) for each in visible.fields_of(entity)],
        "recordTypeInfos": [],
        "supportedScopes": [{"label": f"All {entity.name}", "name": "everything"}],
    }


def describe_all(entities: list[SObject], root: str) -> dict[str, Any]:
    """Answer ``sobjects``."""
    return {"encoding": "UTF-8", "maxBatchSize": 200, "sobjects": [_summary(each, root) for each in entities]}


def basic_information(entity: SObject, root: str) -> dict[str, Any]:
    """Answer ``sobjects/{X}``."""
    return {"objectDescribe": _summary(entity, root), "recentItems": []}

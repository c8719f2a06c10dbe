"""Salesforce's objects and fields as the sandbox has them: the one definition of its tables, describes and SOQL names.

A field is stored unless it has an expression (formulas and compound fields). Columns that start with an underscore
belong to the world (who the record really is) and are no field: SOQL and describe never see them.
"""

from __future__ import annotations

from dataclasses import dataclass

STORED_AS = {
    "id": "VARCHAR",
    "reference": "VARCHAR",
    "string": "VARCHAR",
    "textarea": "VARCHAR",
    "email": "VARCHAR",
    "phone": "VARCHAR",
    "url": "VARCHAR",
    "picklist": "VARCHAR",
    "boolean": "BOOLEAN",
    "int": "BIGINT",
    "double": "DOUBLE",
    "currency": "DOUBLE",
    "date": "DATE",
    "datetime": "TIMESTAMP",
    "address": "JSON",
}


@dataclass(frozen=True, slots=True)
class Field:
    """One field. ``expression`` is DuckDB SQL for what is not stored; ``{row}`` stands for the object's row."""

    name: str
    type: str
    refers_to: str = ""
    expression: str = ""
    calculated: bool = False
    compound: str = ""

    def sql(self, row: str) -> str:
        """Write the field's value as DuckDB SQL over the row called ``row``."""
        return self.expression.replace("{row}", row) if self.expression else f'{row}."{self.name}"'

    @property
    def is_custom(self) -> bool:
        """Whether a customer added it."""
        return self.name.endswith("__c")

    @property
    def parents(self) -> tuple[str, ...]:
        """The objects a reference may point to."""
        return tuple(self.refers_to.split(",")) if self.refers_to else ()

    @property
    def relationship(self) -> str:
        """What SOQL steps to the parent by: ``Account`` for ``AccountId``, ``Account__r`` for ``Account__c``."""
        if not self.refers_to:
            return ""
        return self.name[:-1] + "r" if self.is_custom else self.name.removesuffix("Id")


@dataclass(frozen=True, slots=True)
class SObject:
    """One object: its name, the prefix of its ids and its fields by name."""

    name: str
    prefix: str
    fields: tuple[Field, ...]

    @property
    def table(self) -> str:
        """The table in the world's file."""
        return f'salesforce."{self.name}"'

    @property
    def is_custom(self) -> bool:
        """Whether a customer added it."""
        return self.name.endswith("__c")

    def find(self, name: str) -> Field | None:
        """Return the field called ``name`` in any case; SOQL does not mind."""
        wanted = name.lower()
        return next((field for field in self.fields if field.name.lower() == wanted), None)

    def has(self, name: str) -> bool:
        """Whether the object has the field."""
        return self.find(name) is not None

    def ddl(self) -> str:
        """Write the statement that makes the object's table."""
        stored = [f'"{field.name}" {STORED_AS[field.type]}' for field in self.fields if not field.expression]
        return f"CREATE TABLE {self.table} ({', '.join(stored)}, _person BIGINT, _company BIGINT)"


def _fields(text: str) -> tuple[Field, ...]:
    """Read ``name type [refers_to]`` lines."""
    return tuple(
        Field(line.split()[0], line.split()[1], " ".join(line.split()[2:])) for line in text.strip().splitlines()
    )


_DELETED = Field("IsDeleted", "boolean")
_SYSTEM = _fields("""
CreatedDate datetime
CreatedById reference User
LastModifiedDate datetime
LastModifiedById reference User
SystemModstamp datetime
""")
_ID = Field("Id", "id")
_FULL_NAME = Field("Name", "string", expression="concat_ws(' ', {row}.FirstName, {row}.LastName)")


def _address(name: str) -> Field:
    struct = (
        f"{{'city': {{row}}.{name}City, 'country': {{row}}.{name}Country, 'geocodeAccuracy': NULL, 'latitude': NULL, "
        f"'longitude': NULL, 'postalCode': NULL, 'state': NULL, 'street': NULL}}"
    )
    return Field(f"{name}Address", "address", expression=f"to_json({struct})", compound=f"{name}Address")


_CONTACT = SObject(
    "Contact",
    "003",
    (
        _ID,
        _DELETED,
        *_fields("""
MasterRecordId reference Contact
AccountId reference Account
LastName string
FirstName string
Salutation picklist
"""),
        _FULL_NAME,
        *_fields("""
MailingCity string
MailingCountry string
"""),
        _address("Mailing"),
        *_fields("""
Phone phone
MobilePhone phone
Email email
Title string
Department string
LeadSource picklist
Description textarea
OwnerId reference User
HasOptedOutOfEmail boolean
"""),
        *_SYSTEM,
        *_fields("""
LastActivityDate date
Cio_Id__c string
Score__c double
"""),
        Field(
            "Score_Band__c",
            "string",
            expression="CASE WHEN {row}.Score__c < 40 THEN 'Cold' WHEN {row}.Score__c < 70 THEN 'Warm' ELSE 'Hot' END",
            calculated=True,
        ),
    ),
)

_LEAD = SObject(
    "Lead",
    "00Q",
    (
        _ID,
        _DELETED,
        *_fields("""
MasterRecordId reference Lead
LastName string
FirstName string
"""),
        _FULL_NAME,
        *_fields("""
Title string
Company string
City string
Country string
Phone phone
MobilePhone phone
Email email
Website url
LeadSource picklist
Status picklist
Industry picklist
Rating picklist
AnnualRevenue currency
NumberOfEmployees int
OwnerId reference User
HasOptedOutOfEmail boolean
IsConverted boolean
ConvertedDate date
ConvertedAccountId reference Account
ConvertedContactId reference Contact
ConvertedOpportunityId reference Opportunity
"""),
        *_SYSTEM,
    ),
)

_ACCOUNT = SObject(
    "Account",
    "001",
    (
        _ID,
        _DELETED,
        *_fields("""
MasterRecordId reference Account
Name string
Type picklist
ParentId reference Account
BillingCity string
BillingCountry string
"""),
        _address("Billing"),
        *_fields("""
Phone phone
Website url
Industry picklist
AnnualRevenue currency
NumberOfEmployees int
Description textarea
OwnerId reference User
"""),
        *_SYSTEM,
        *_fields("""
Tier__c picklist
"""),
    ),
)

_OPPORTUNITY = SObject(
    "Opportunity",
    "006",
    (
        _ID,
        _DELETED,
        *_fields("""
AccountId reference Account
Name string
StageName picklist
Amount currency
Probability double
CloseDate date
Type picklist
LeadSource picklist
IsClosed boolean
IsWon boolean
OwnerId reference User
"""),
        *_SYSTEM,
    ),
)

_TASK = SObject(
    "Task",
    "00T",
    (
        _ID,
        _DELETED,
        *_fields("""
WhoId reference Contact,Lead
WhatId reference Account
Subject string
ActivityDate date
Status picklist
Priority picklist
OwnerId reference User
Description textarea
AccountId reference Account
IsClosed boolean
Type picklist
TaskSubtype picklist
CallDurationInSeconds int
CompletedDateTime datetime
"""),
        *_SYSTEM,
    ),
)

_EVENT = SObject(
    "Event",
    "00U",
    (
        _ID,
        _DELETED,
        *_fields("""
WhoId reference Contact,Lead
WhatId reference Account
Subject string
Location string
StartDateTime datetime
EndDateTime datetime
DurationInMinutes int
IsAllDayEvent boolean
OwnerId reference User
AccountId reference Account
Type picklist
"""),
        *_SYSTEM,
    ),
)

_USER = SObject(
    "User",
    "005",
    (
        _ID,
        *_fields("""
Username string
LastName string
FirstName string
"""),
        _FULL_NAME,
        *_fields("""
Email email
Title string
IsActive boolean
UserType picklist
"""),
        *_SYSTEM,
    ),
)

_SUBSCRIPTION = SObject(
    "Subscription__c",
    "a01",
    (
        _ID,
        *_fields("""
OwnerId reference User
"""),
        _DELETED,
        *_fields("""
Name string
"""),
        *_SYSTEM,
        *_fields("""
Account__c reference Account
Contact__c reference Contact
Plan__c picklist
Seats__c double
Monthly_Amount__c currency
Renewal_Date__c date
"""),
    ),
)

_ORGANIZATION = SObject(
    "Organization",
    "00D",
    (
        _ID,
        *_fields("""
Name string
IsSandbox boolean
InstanceName string
OrganizationType picklist
"""),
        *_SYSTEM,
    ),
)

OBJECTS = (_ACCOUNT, _CONTACT, _LEAD, _OPPORTUNITY, _TASK, _EVENT, _USER, _SUBSCRIPTION, _ORGANIZATION)
"""Every object of a world's org; ``Subscription__c`` stands for what customers add."""


def find_object(name: str) -> SObject | None:
    """Return the object called ``name`` in any case."""
    wanted = name.lower()
    return next((each for each in OBJECTS if each.name.lower() == wanted), None)

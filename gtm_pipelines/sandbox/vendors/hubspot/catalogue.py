"""HubSpot's objects, properties and association types as the sandbox has them: the one definition of its tables.

Every property is served as text or null. One of type ``datetime`` is stored as epoch milliseconds, all others as text.
``calculated`` properties change without touching the record's modified date. Columns that start with an underscore
belong to the world and are no property.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

BUILT_IN = {"hs_object_id": "id", "hs_createdate": "created_ms", "createdate": "created_ms"}
"""Properties that stand for a column every object has; the modified date is each object's own."""


class Property(NamedTuple):
    """One property of an object."""

    name: str
    type: str
    calculated: bool = False


@dataclass(frozen=True, slots=True)
class CrmObject:
    """One object type. ``modified`` is the property that holds when a record last changed."""

    name: str
    singular: str
    type_id: str
    modified: str
    defaults: tuple[str, ...]
    stored: tuple[Property, ...]

    @property
    def table(self) -> str:
        """The table in the world's file."""
        return f"hubspot.{self.name}"

    @property
    def properties(self) -> tuple[Property, ...]:
        """Every property, the built-in ones first."""
        created = "createdate" if "createdate" in self.defaults else "hs_createdate"
        return (
            Property("hs_object_id", "number"),
            Property(created, "datetime"),
            Property(self.modified, "datetime"),
            *self.stored,
        )

    def find(self, name: str) -> Property | None:
        """Return the property called ``name``."""
        return next((each for each in self.properties if each.name == name), None)

    def column(self, name: str) -> str:
        """Return the column a property is stored in."""
        return "modified_ms" if name == self.modified else BUILT_IN.get(name, name)

    def ddl(self) -> str:
        """Write the statement that makes the object's table."""
        stored = [f"{each.name} {'BIGINT' if each.type == 'datetime' else 'VARCHAR'}" for each in self.stored]
        return (
            f"CREATE TABLE {self.table} (id BIGINT, created_ms BIGINT, modified_ms BIGINT,"
            f" archived BOOLEAN DEFAULT false, archived_ms BIGINT,"
            f" {', '.join(stored)}, _person BIGINT, _company BIGINT)"
        )


def _stored(text: str) -> tuple[Property, ...]:
    """Read ``name type [calculated]`` lines."""
    lines = [line.split() for line in text.strip().splitlines()]
    return tuple(Property(line[0], line[1], line[2:] == ["calculated"]) for line in lines)


_HS = ("hs_createdate", "hs_lastmodifieddate", "hs_object_id")

OBJECTS = (
    CrmObject(
        "contacts",
        "contact",
        "0-1",
        "lastmodifieddate",
        ("createdate", "email", "firstname", "hs_object_id", "lastmodifieddate", "lastname"),
        _stored("""
email string
firstname string
lastname string
jobtitle string
phone string
mobilephone string
company string
city string
country string
lifecyclestage enumeration
hs_lead_status enumeration
hubspot_owner_id enumeration
associatedcompanyid number
hs_email_optout bool
notes_last_contacted datetime calculated
num_associated_deals number calculated
hs_merged_object_ids enumeration
customerio_id string
"""),
    ),
    CrmObject(
        "companies",
        "company",
        "0-2",
        "hs_lastmodifieddate",
        ("createdate", "domain", "hs_lastmodifieddate", "hs_object_id", "name"),
        _stored("""
name string
domain string
website string
industry enumeration
numberofemployees number
annualrevenue number
phone string
city string
country string
lifecyclestage enumeration
hubspot_owner_id enumeration
num_associated_contacts number calculated
hs_merged_object_ids enumeration
"""),
    ),
    CrmObject(
        "deals",
        "deal",
        "0-3",
        "hs_lastmodifieddate",
        (
            "amount", "closedate", "createdate", "dealname", "dealstage", "hs_lastmodifieddate", "hs_object_id",
            "pipeline",
        ),
        _stored("""
dealname string
dealstage enumeration
pipeline enumeration
amount number
closedate datetime
dealtype enumeration
hubspot_owner_id enumeration
hs_is_closed bool calculated
hs_is_closed_won bool calculated
hs_merged_object_ids enumeration
"""),
    ),
    CrmObject(
        "calls",
        "call",
        "0-48",
        "hs_lastmodifieddate",
        _HS,
        _stored("""
hs_timestamp datetime
hs_call_title string
hs_call_body string
hs_call_direction enumeration
hs_call_duration number
hs_call_status enumeration
hubspot_owner_id enumeration
"""),
    ),
    CrmObject(
        "emails",
        "email",
        "0-49",
        "hs_lastmodifieddate",
        _HS,
        _stored("""
hs_timestamp datetime
hs_email_subject string
hs_email_direction enumeration
hs_email_status enumeration
hs_email_to_email string
hubspot_owner_id enumeration
"""),
    ),
    CrmObject(
        "meetings",
        "meeting",
        "0-47",
        "hs_lastmodifieddate",
        _HS,
        _stored("""
hs_timestamp datetime
hs_meeting_title string
hs_meeting_start_time datetime
hs_meeting_end_time datetime
hs_meeting_outcome enumeration
hs_meeting_location string
hubspot_owner_id enumeration
"""),
    ),
    CrmObject(
        "notes",
        "note",
        "0-46",
        "hs_lastmodifieddate",
        _HS,
        _stored("""
hs_timestamp datetime
hs_note_body string
hubspot_owner_id enumeration
"""),
    ),
    CrmObject(
        "tasks",
        "task",
        "0-27",
        "hs_lastmodifieddate",
        _HS,
        _stored("""
hs_timestamp datetime
hs_task_subject string
hs_task_status enumeration
hs_task_priority enumeration
hs_task_type enumeration
hs_task_completion_date datetime
hubspot_owner_id enumeration
"""),
    ),
)  # fmt: skip


def find_object(name: str) -> CrmObject | None:
    """Return the object called ``name``: plural, singular or by its type id."""
    return next((each for each in OBJECTS if name in (each.name, each.singular, each.type_id)), None)


class Kind(NamedTuple):
    """The association types of one direction: the plain one, and the primary one where there is one."""

    plain: int
    primary: int | None
    name: str


_KINDS = {
    ("contacts", "companies"): Kind(279, 1, "contact_to_company"),
    ("companies", "contacts"): Kind(280, 2, "company_to_contact"),
    ("deals", "contacts"): Kind(3, None, "deal_to_contact"),
    ("contacts", "deals"): Kind(4, None, "contact_to_deal"),
    ("deals", "companies"): Kind(341, 5, "deal_to_company"),
    ("companies", "deals"): Kind(342, 6, "company_to_deal"),
} | {
    (activity, to): Kind(first + step, None, f"{name}_to_{to_name}")
    for activity, name, first in (
        ("calls", "call", 182),
        ("emails", "email", 186),
        ("meetings", "meeting_event", 188),
        ("notes", "note", 190),
        ("tasks", "task", 192),
    )
    for to, to_name, step in (("companies", "company", 0), ("contacts", "contact", 12), ("deals", "deal", 24))
}


def find_kind(source: str, target: str) -> Kind | None:
    """Return the association types from one object to another; an activity's other way round has the number before."""
    kind = _KINDS.get((source, target))
    if kind is None and (target, source) in _KINDS:
        forth = _KINDS[target, source]
        return Kind(forth.plain - 1, None, "_to_".join(reversed(forth.name.split("_to_"))))
    return kind

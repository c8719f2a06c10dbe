"""Little worlds written by hand, in which careless rules would make one person of two.

Each has its own people, companies, hosts and phones, so that all of them can stand in one tenant. A record says who it
really is; ``known`` are records that have to be found to be one, so that a rule which joins nobody does not pass.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tests.unit.resolution.tenant import Row

CRM, MAIL, EXPORT = "crm", "mail", "export"


@dataclass(frozen=True)
class Trap:
    """People as records of (who they really are, source, fields), and the accounts they stand beside."""

    name: str
    people: tuple[tuple[str, str, Row], ...]
    accounts: tuple[tuple[str, Row], ...] = ()
    known: tuple[tuple[int, ...], ...] = field(default=())  # places in ``people``

    def id_of(self, place: int) -> str:
        """The external id of the person at a place."""
        return f"{self.name}/{place}"


def one(who: str, source: str, name: str = "", **fields: Any) -> tuple[str, str, Row]:
    """A record; ``name`` is first and last name."""
    first, _, last = name.partition(" ")
    return who, source, {"first_name": first or None, "last_name": last or None} | fields


def at(name: str) -> Row:
    """What a record has that states its employer by name."""
    return {"properties": f'{{"company": "{name}"}}'}


TRAPS = (
    Trap(
        "a family on one telephone, one of them known by the mailbox alone",
        (
            one("jane", CRM, "Jane Roe", phone="+14155550101"),
            one("jack", CRM, "Jack Roe", phone="+14155550101"),
            one("jane", MAIL, email="jane.roe7@gmail.com", phone="+14155550101"),
            one("joan", MAIL, email="joan.roe@gmail.com", phone="+14155550101"),
        ),
        known=((0, 2),),
    ),
    Trap(
        "a family that shares a mailbox by its tags",
        (
            one("mother", CRM, "Mia Hall", email="hall+mia@hallfamily.com"),
            one("father", CRM, "Max Hall", email="hall+max@hallfamily.com"),
            one("nobody knows", MAIL, email="hall@hallfamily.com"),
        ),
    ),
    Trap(
        "a team whose members tag its mailbox",
        (
            one("ann", CRM, "Ann Doe", email="crew+ann@crewworks.com"),
            one("ben", CRM, "Ben Poe", email="crew+ben@crewworks.com"),
            one("cid", CRM, "Cid Moe", email="crew@crewworks.com"),
        ),
    ),
    Trap(
        "a role address with tags",
        (
            one("east", CRM, "Eve East", email="sales+east@roleworks.com"),
            one("west", MAIL, email="sales@roleworks.com"),
            one("far", MAIL, email="sales+far@roleworks.com"),
        ),
    ),
    Trap(
        "namesakes with mailboxes of their own at one company, and one whose mailbox nobody knows",
        (
            one("first", CRM, "John Smith", email="john.smith@smithco.com"),
            one("second", CRM, "John Smith", email="john.smith2@smithco.com"),
            one("either", MAIL, "John Smith", email="jsmith1980@gmail.com", **at("Smithco, Inc.")),
            one("either, too", MAIL, email="john.smith@yahoo.com", **at("Smithco")),
        ),
        (("smithco", {"name": "Smithco", "domain": "smithco.com"}),),
    ),
    Trap(
        "many namesakes without a mailbox in one large company",
        tuple(one(f"{n}", CRM, "Wei Chen", account_external_id="wideco") for n in range(7)),
        (("wideco", {"name": "Wideco", "domain": "wideco.com"}),),
    ),
    Trap(
        "two companies of one name",
        (
            one("one", CRM, "Lena Berg", email="lena.berg@twinworks.com"),
            one("other", MAIL, "Lena Berg", email="lena.berg@gmail.com", **at("Twinworks")),
        ),
        (
            ("twin1", {"name": "Twinworks", "domain": "twinworks.com"}),
            ("twin2", {"name": "Twinworks", "domain": "twinworks.io"}),
        ),
    ),
    Trap(
        "an employer's name that is none",
        (
            one("one", CRM, "Olga Tamm", email="olga@gmail.com", **at("Self-employed")),
            one("other", MAIL, "Olga Tamm", email="tamm.olga@yahoo.com", **at("self employed")),
        ),
    ),
    Trap(
        "a reseller who names the customer",
        (
            one("customer", CRM, "Nils Holm", email="nils@buyco.com"),
            one("reseller", MAIL, "Nils Holm", email="nils.holm@sellerco.com", **at("Buyco")),
        ),
        (
            ("buyco", {"name": "Buyco", "domain": "buyco.com"}),
            ("sellerco", {"name": "Sellerco", "domain": "sellerco.com"}),
        ),
    ),
    Trap(
        "family names one letter apart, each spelled by its mailbox",
        (
            one("garcia", CRM, "Rainer Garcia", email="rainer.garcia@letterco.com"),
            one("gracia", CRM, "Rainer Gracia", email="rainer.gracia@letterco.com"),
            one("garcia", MAIL, "Rainer Gracia", email="rainer.garcia+x@letterco.com"),
        ),
        (("letterco", {"name": "Letterco", "domain": "letterco.com"}),),
        known=((0, 2),),
    ),
    Trap(
        "given names one letter apart without anything that spells them",
        (
            one("marie", CRM, "Marie Dupont", account_external_id="pareco"),
            one("maria", EXPORT, "Maria Dupont", account_external_id="pareco"),
        ),
        (("pareco", {"name": "Pareco", "domain": "pareco.com"}),),
    ),
    Trap(
        "a mailbox that spells a colleague's initial",
        (
            one("diane", CRM, "Diane Barrera", account_external_id="initialco"),
            one("david", MAIL, email="dbarrera@initialco.com"),
        ),
        (("initialco", {"name": "Initialco", "domain": "initialco.com"}),),
    ),
    Trap(
        "a mailbox of two words that are no name",
        (
            one("a desk", CRM, email="sales.berlin@deskco.com", phone="+14155550102"),
            one("a person", CRM, "Sales Berlin", phone="+14155550102"),
        ),
    ),
    Trap(
        "a switchboard, most of whose callers are known by their mailboxes",
        (
            *(one(name, CRM, f"{name} Switch", phone="+14155550103") for name in ("Ada", "Bea", "Cora")),
            *(one(name, MAIL, email=f"{name}.switch@gmail.com", phone="+14155550103") for name in ("dora", "ella")),
            one("another Ada", MAIL, email="ada.switch@gmail.com", phone="+14155550103"),
        ),
    ),
    Trap(
        "one person in more records than a shared name may have mailboxes",
        (
            *(one("kim", source, "Kim Lund", email="kim.lund@manyco.com") for source in (CRM, MAIL, EXPORT) * 3),
            one("kim", EXPORT, "Kim Lund", account_external_id="manyco"),
        ),
        (("manyco", {"name": "Manyco", "domain": "manyco.com"}),),
        known=(tuple(range(10)),),
    ),
    Trap(
        "one person under work and private mail, told by the employer's name",
        (
            one("tess", CRM, "Tess Vance", email="tess@homeco.com"),
            one("tess", MAIL, "Tess Vance", email="tvance@gmail.com", **at("HOMECO, Inc.")),
            one("tess", EXPORT, email="tess.vance@outlook.com", **at("Homeco")),
            one("tim", EXPORT, "Tim Vance", email="tim.vance@outlook.com", **at("Homeco")),
        ),
        (("homeco", {"name": "Homeco", "domain": "homeco.com"}),),
        known=((0, 1, 2),),
    ),
)

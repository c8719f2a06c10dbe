"""What the normal forms are, on values people really write."""

from __future__ import annotations

import re

import pytest
import tldextract

from quality.normalise import company, domain, email, full_name, person, phone, text


@pytest.mark.parametrize(
    "address",
    ["jane.o'neil+x@acme-foo.co.uk", "jané@bücher.de", "x@xn--bcher-kva.de", "a_b@my_host.acme.com"],
)
def test_what_people_send_mail_to_is_an_address(address: str) -> None:
    assert is_address(address)


@pytest.mark.parametrize(
    "text",
    [
        *("jane@acme", "a b@x.com", "x@1.2.3.4", "Jane <jane@x.com>", "a@x.com, b@x.com", ".a@x.com", "a..b@x.com"),
        *("a@-x.com", "a@x..com", "a@@x.com", "", "n/a", "Jane@x.com", " jane@x.com", "x" * 250 + "@x.com"),
    ],
)
def test_what_mail_cannot_be_sent_to_is_none(text: str) -> None:
    assert not is_address(text)


def is_address(text: str) -> bool:
    return len(text) <= email.LONGEST and re.search(email.PATTERN, text) is not None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("jane.roe+news@gmail.com", "janeroe@googlemail.com"),
        ("jane+a@outlook.com", "jane+b@outlook.com"),
        ("jane+a@icloud.com", "jane@icloud.com"),
    ],
)
def test_spellings_a_provider_ignores_are_one_mailbox(one: str, other: str) -> None:
    assert email.normal_form(one) == email.normal_form(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("jane+a@acme.test", "jane@acme.test"),  # plus-tags are the provider's choice, and this one we do not know
        ("jane.roe@outlook.com", "janeroe@outlook.com"),
        ("jane@gmail.com", "jane@acme.test"),
        ("j\u0430ne@gmail.com", "jane@gmail.com"),  # a Cyrillic letter, alike to the eye only
    ],
)
def test_spellings_that_may_be_two_mailboxes_stay_two(one: str, other: str) -> None:
    assert email.normal_form(one) != email.normal_form(other)


@pytest.mark.parametrize(
    ("given", "registrable"),
    [
        ("https://www.Acme.co.uk/about?x=1", "acme.co.uk"),
        ("acme.com", "acme.com"),
        ("jane@mail.acme.com", "acme.com"),
        ("//acme.com:8080", "acme.com"),
        ("shop.bücher.de", "xn--bcher-kva.de"),
        ("acme.com.", "acme.com"),
        ("localhost", None),
        ("10.0.0.1", None),
        ("co.uk", None),
        ("not a site", None),
        ("n/a", None),
        ("", None),
        (None, None),
    ],
)
def test_a_domain_is_what_a_company_registers(given: str | None, registrable: str | None) -> None:
    assert domain.registrable(given) == registrable


def test_free_mail_tells_no_company() -> None:
    assert domain.company_domain("gmail.com") is None
    assert domain.company_domain("acme.test") == "acme.test"
    assert all(domain.registrable(name) == name for name in domain.FREE_MAIL)


def test_flat_suffixes_have_no_suffixes_of_their_own() -> None:
    """Guards the SQL short cut: the day the list gives .de a second level, this fails."""
    suffixes = tldextract.TLDExtract(cache_dir=None, suffix_list_urls=()).tlds
    assert set(domain.FLAT_SUFFIXES) <= set(suffixes)
    assert [s for s in suffixes if s.endswith(tuple(f".{flat}" for flat in domain.FLAT_SUFFIXES))] == []


def test_split_suffixes_name_all_that_lie_below_them() -> None:
    """Guards the same short cut: the day the list gives .io another second level, this fails."""
    suffixes = tldextract.TLDExtract(cache_dir=None, suffix_list_urls=()).tlds
    for end, names in domain.SPLIT_SUFFIXES.items():
        assert {s for s in suffixes if s.endswith(f".{end}")} == {f"{name}.{end}" for name in names}


@pytest.mark.parametrize(
    ("given", "region", "number"),
    [
        ("(202) 555-0100", "US", "+12025550100"),
        ("1 202 555 0100", "US", "+12025550100"),
        ("+44 (0)20 7946 0018", "US", "+442079460018"),
        ("020 7946 0018", "GB", "+442079460018"),
        ("202-555-0100 ext. 5", "US", "+12025550100"),
        ("+39 06 698 12345", "US", "+390669812345"),
        ("0044 7400 000008", "US", "+447400000008"),
        ("(00) 44 (0)20 7946 0018 ext. 5", "US", "+442079460018"),
        ("0044 7400 000008", "GB", "+447400000008"),
        ("0044 7400 000008", "AU", "+447400000008"),
        ("0011 65 6123 4567", "AU", "+6561234567"),
        ("00 1 202 555 0100", "BR", "+12025550100"),
        ("0044", "US", None),
        ("555-0100", "US", None),
        ("+1 202 555 010", "US", None),
        ("call me", "US", None),
        ("", "US", None),
        ("1" * 300, "US", None),
        (None, "US", None),
    ],
)
def test_a_number_is_read_or_refused(given: str | None, region: str, number: str | None) -> None:
    assert phone.e164(given, region) == number


@pytest.mark.parametrize(
    ("given", "form"),
    [
        ("ACME, Inc.", "acme"),
        ("The Acme Company S.A.", "acme"),
        ("Acme Holdings GmbH & Co. KG", "acme holdings"),
        ("AT&T Corp", "at and t"),
        ("Société Générale", "societe generale"),
        ("Inc", "inc"),
        ("The", "the"),
        ("...", None),
        (None, None),
    ],
)
def test_a_company_is_its_name_without_its_legal_form(given: str | None, form: str | None) -> None:
    assert company.normal_form(given) == form


def test_a_person_is_the_same_with_and_without_accents() -> None:
    assert person.normal_form("José  GARCÍA-López") == person.normal_form("jose garcia lopez") == "jose garcia lopez"
    assert person.normal_form(" - ") is None


@pytest.mark.parametrize(
    ("name", "given", "family"),
    [
        ("Jane Roe", "Jane", "Roe"),
        (" Roe ,  Jane ", "Jane", "Roe"),
        ("Jane", "Jane", None),
        ("JANE O'Neil-Roe", "JANE", "O'Neil-Roe"),
        ("J. R. R. Tolkien", "J. R. R.", "Tolkien"),
        ("Ludwig van Beethoven", "Ludwig", "van Beethoven"),
        ("Oscar De La Hoya", "Oscar", "De La Hoya"),
        ("Ahmed bin Salman", "Ahmed", "bin Salman"),
        ("van der Berg, Jan", "Jan", "van der Berg"),
        ("van der Berg", None, "van der Berg"),
        ("Al Gore", "Al", "Gore"),
        ("Dr. Jane van der Roe, PhD", "Jane", "van der Roe"),
        ("King, Martin Luther, Jr.", "Martin Luther", "King"),
        ("Henry Ford III", "Henry", "Ford"),
        ("Mr. Roe", None, "Roe"),
        ('Robert "Bob" Roe (Acme)', "Robert", "Roe"),
        ("李小龍", "李小龍", None),
    ],
)
def test_a_full_name_is_taken_apart(name: str, given: str | None, family: str | None) -> None:
    assert (full_name.given(name), full_name.family(name)) == (given, family)


@pytest.mark.parametrize(
    "name",
    [
        *(None, "", "  ", ",", "jane@acme.test", "Jane Roe <jane@acme.test>", "Bob & Jane Roe", "Jane Roe / John Roe"),
        *(
            "Acme, Inc.",
            "Acme Trading GmbH",
            "Acme S.A.",
            "Acme Sales Team",
            "Billing",
            "Conference Room 5",
            "+1 202 555",
        ),
        *("Jane Roe, Acme", "Roe, Jane, Acme", "please ask for Jane or John Roe", "x" * 200),
    ],
)
def test_what_is_not_surely_one_persons_name_is_left_whole(name: str | None) -> None:
    assert (full_name.given(name), full_name.family(name)) == (None, None)


def test_an_excerpt_ends_with_a_whole_word() -> None:
    words = "word " * 1000
    assert text.excerpt(words) == ("word " * 400)[:-1] + "…"
    assert text.excerpt("short and whole") == "short and whole"

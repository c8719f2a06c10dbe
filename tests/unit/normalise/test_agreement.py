"""Each normal form is one function and one SQL expression; on any text they say the same."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from typing import cast

import duckdb
import phonenumbers
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from quality.normalise import company, domain, email, full_name, person, phone, text

# What Python and DuckDB both know: assigned characters of the basic plane, less two that newer Unicode calls marks.
KNOWN = st.characters(
    max_codepoint=0xFFFF, exclude_categories=("Cs", "Cn", "Co"), exclude_characters="\x00\u0cf3\u0ece"
)
TEXT = st.text(KNOWN, max_size=30)
WORDS = st.lists(
    st.sampled_from(["The", "acme", "Inc.", "INC", "S.A.", "GmbH", "&", "Co", "Ltd", "José", " ", ",", "AT&T"]),
    max_size=6,
)
NAME_PIECES = [
    *(
        "Jane",
        "ROE",
        "O'Neil",
        "García-López",
        "van",
        "De",
        "der",
        "'t",
        "Dr.",
        "mrs",
        "Jr.",
        "PhD",
        "M.D",
        "III",
        "J.",
    ),
    *("x@y.z", "Sales", "Inc.", "GmbH", "(ext)", "[a", '"Bob"', "&", "5", "-", ".", "李", "\u00a0", "\t", "\n"),
    *(",", ", ", " ,"),
]
NAMES = st.tuples(st.lists(st.sampled_from(NAME_PIECES), max_size=7), st.sampled_from(["", " ", "  "])).map(
    lambda drawn: drawn[1].join(drawn[0])
)
LONG = st.builds(
    lambda words, gap: gap.join(words * 60),
    st.lists(st.text(st.sampled_from("aé; \n\u3000"), max_size=30), min_size=1, max_size=6),
    st.sampled_from(["", " ", "\n\n"]),
)
LOCALS = st.text(st.sampled_from("aZ.+-_é@ 1"), max_size=12)
HOSTS = st.sampled_from(
    ["gmail.com", "GoogleMail.com", "outlook.com", "acme.test", "bücher.de", "x", "a.b.co.uk", "me.com", "x-.com"]
)
ADDRESSES = st.builds("{}@{}".format, LOCALS, HOSTS)
PIECES = st.sampled_from(
    ["+", "1", "44", "49", "0", "(", ")", "-", ".", "/", " ", "202", "555", "0100", "20", "7946", "ext", "\u00a0"]
)
NUMBERS = st.lists(PIECES, max_size=10).map("".join)
SITE_PIECES = "https:// http:// www. acme a-b - . com co.uk de io co net.co com.io /x?y=1 @ :80 # com.de"
SITES = st.lists(st.sampled_from(SITE_PIECES.split()), max_size=7).map("".join)

_connection = duckdb.connect()


def in_sql(expression: Callable[[str], str], value: str | None) -> str | None:
    found = _connection.execute(f"SELECT {expression('v')} FROM (VALUES (?::VARCHAR)) AS t (v)", [value])
    return cast("str | None", found.fetchall()[0][0])


def each_in_sql(expression: Callable[[str], str], values: list[str]) -> list[str | None]:
    """Say in one query what :func:`in_sql` says of each."""
    sql = f"SELECT {expression('v')} FROM (SELECT unnest(?::VARCHAR[]) AS v, unnest(range(?)) AS n) ORDER BY n"
    return [found for (found,) in _connection.execute(sql, [values, len(values)]).fetchall()]


@pytest.mark.parametrize(
    ("function", "expression"),
    [
        (text.trim, text.trim_sql),
        (text.lower, text.lower_sql),
        (text.words, text.words_sql),
        (email.normal_form, email.normal_form_sql),
        (company.normal_form, company.normal_form_sql),
        (person.normal_form, person.normal_form_sql),
        (domain.company_domain, domain.company_domain_sql),
    ],
)
@settings(max_examples=30, deadline=None)
@given(value=TEXT | ADDRESSES | WORDS.map(" ".join) | st.builds("{}{}\n".format, st.sampled_from(text.WHITE), TEXT))
@example(value="İSTANBUL ΑΣ")
@example(value="+tag@gmail.com")
@example(value="The S.A.")
@example(value="a@b@gmail.com")
def test_function_and_sql_agree(
    function: Callable[[str], str | None], expression: Callable[[str], str], value: str
) -> None:
    assert in_sql(expression, value) == function(value)


@pytest.mark.parametrize(
    ("function", "expression"),
    [
        (full_name.given, lambda column: full_name.given_sql(full_name.plain_sql(column))),
        (full_name.family, lambda column: full_name.family_sql(full_name.plain_sql(column))),
    ],
)
@settings(max_examples=100, deadline=None)
@given(value=NAMES | TEXT)
@example(value="Dr. Jane van der Roe, PhD")
@example(value="x" * (full_name.LONGEST + 1))
def test_sql_takes_a_name_apart_as_the_function_does(
    function: Callable[[str], str | None], expression: Callable[[str], str], value: str
) -> None:
    assert in_sql(expression, value) == function(value)


@settings(max_examples=30, deadline=None)
@given(value=LONG)
@example(value="x" * (text.EXCERPT + 1))
@example(value="x" * text.EXCERPT)
@example(value="x" * (text.EXCERPT - 1) + " y")
def test_sql_cuts_an_excerpt_as_the_function_does_and_it_is_short(value: str) -> None:
    cut = text.excerpt(value)
    assert in_sql(text.excerpt_sql, value) == cut
    assert len(cut) <= text.EXCERPT
    assert cut == value or (value.startswith(cut[:-1]) and cut.endswith("…"))


@pytest.mark.parametrize("region", ["US", "GB", "DE", "FR", "NL", "BR"])
@settings(max_examples=20, deadline=None)
@given(value=NUMBERS)
def test_sql_reads_a_number_as_the_library_does_or_leaves_it(region: str, value: str) -> None:
    read = in_sql(lambda column: phone.e164_sql(column, region), value)
    assert read is None or read == phone.e164(value, region)


DIALLED = ["(202) 555-0100", "1 202 555 0100", "+44 20 7946 0018", "00442079460018", "020 7946 0018", "1"]
EXTENSIONS = st.from_regex(r"[ -]?(?:x|X|ext|EXT|Ext|e|int|#)[.:]?[ -]?[0-9]{0,8}#?", fullmatch=True)


@pytest.mark.parametrize("region", ["US", "GB", "DE", "AU", "ES", "BR"])
@settings(max_examples=30, deadline=None)
@given(number=st.sampled_from(DIALLED), extension=EXTENSIONS)
def test_sql_reads_an_extension_as_the_library_does_or_leaves_it(region: str, number: str, extension: str) -> None:
    read = in_sql(lambda column: phone.e164_sql(column, region), number + extension)
    assert read is None or read == phone.e164(number + extension, region)


@pytest.mark.parametrize("extension", ["x16", " x16", " X 16", "ext16", " ext. 16", " Ext 16"])
def test_sql_reads_a_plain_extension_itself(extension: str) -> None:
    """Every tenth number of a CRM has one; leaving them to the function costs more than all other numbers together."""
    assert in_sql(lambda column: phone.e164_sql(column, "US"), "(202) 555-0100" + extension) == "+12025550100"


@pytest.mark.parametrize("region", ["US", "GB", "DE", "FR", "BR", "IN"])
def test_sql_reads_the_example_numbers_of_every_plan_as_the_library_does(region: str) -> None:
    styles = (phonenumbers.PhoneNumberFormat.INTERNATIONAL, phonenumbers.PhoneNumberFormat.NATIONAL)
    examples = [phonenumbers.example_number(other) for other in phonenumbers.SUPPORTED_REGIONS]
    written = [phonenumbers.format_number(number, style) for number in examples for style in styles if number]
    read = each_in_sql(lambda column: phone.e164_sql(column, region), written)
    assert len(read) == len(styles) * len(examples)
    for number, found in zip(written, read, strict=True):
        assert found is None or found == phone.e164(number, region), number


@pytest.mark.parametrize("region", ["US", "GB", "DE", "NL", "AU", "JP"])
@settings(max_examples=30, deadline=None)
@given(plan=st.sampled_from(sorted(phone._PLANS)), data=st.data())
def test_a_leading_00_is_a_plus_in_sql_as_in_the_function(region: str, plan: str, data: st.DataObject) -> None:
    number = data.draw(st.from_regex(plan + phone._PLANS[plan], fullmatch=True))
    read = in_sql(lambda column: phone.e164_sql(column, region), "00" + number)
    assert read is None or read == phone.e164("00" + number, region)
    assert region not in {"US", "GB", "DE"} or read == "+" + number


@pytest.mark.parametrize("plan", sorted(phone._PLANS))
@settings(max_examples=12, deadline=None)
@given(data=st.data())
def test_every_number_sql_accepts_is_one_the_library_accepts_unchanged(plan: str, data: st.DataObject) -> None:
    written = data.draw(st.from_regex(rf"\+{plan}{phone._PLANS[plan]}", fullmatch=True))
    assert in_sql(lambda column: phone.e164_sql(column, "US"), written) == written == phone.e164(written, "US")


@pytest.mark.parametrize("region", sorted(phone._REGIONS))
@settings(max_examples=12, deadline=None)
@given(data=st.data())
def test_every_national_number_sql_accepts_is_read_the_same_by_the_library(region: str, data: st.DataObject) -> None:
    code, trunk = phone._REGIONS[region]
    written = data.draw(st.from_regex(trunk + phone._PLANS[code], fullmatch=True))
    read = in_sql(lambda column: phone.e164_sql(column, region), written)
    assert read is not None
    assert read == phone.e164(written, region)


@settings(max_examples=80, deadline=None)
@given(value=SITES | TEXT)
@example(value="https://www.acme.com/a@b")
@example(value="http://a-.com")
@example(value="com.io")
@example(value="acme.com.io")
@example(value="co.uk")
def test_sql_reads_a_domain_as_the_suffix_list_does_or_leaves_it(value: str) -> None:
    read = in_sql(domain.registrable_sql, value)
    assert read is None or read == domain.registrable(value)


def test_null_stays_null_everywhere() -> None:
    forms = (
        text.trim_sql,
        email.normal_form_sql,
        company.normal_form_sql,
        person.normal_form_sql,
        domain.registrable_sql,
    )
    assert [in_sql(form, None) for form in forms] == [None] * len(forms)
    functions = (email.normal_form, company.normal_form, person.normal_form, domain.registrable)
    assert [function(None) for function in functions] == [None] * len(functions)


def test_accents_are_every_mark() -> None:
    marks = [chr(n) for n in range(0x300, 0x370) if unicodedata.category(chr(n)).startswith("M")]
    assert text.words("a" + "".join(marks)) == "a"

"""Telephone numbers in E.164.

The function asks the ``phonenumbers`` library. Its SQL form knows the common numbering plans, whose numbers have one
length and no trunk prefix inside, and gives null for every other value: those few are left to the function. A leading
``00`` is read as ``+`` in every region, for people write it wherever they are; a region's own way of dialling abroad
comes first (Australia's 0011).
"""

from __future__ import annotations

from functools import lru_cache

from quality.normalise import text

PATTERN = r"^\+[1-9][0-9]{6,14}$"

_PLANS = {
    # calling code: national numbers that need no second thought (a subset of what the plan allows)
    "1": "[2-9][0-9]{9}",
    "31": "[1-9][0-9]{8}",
    "33": "[1-9][0-9]{8}",
    "34": "[6-9][0-9]{8}",
    "41": "[2-9][0-9]{8}",
    "44": "[1-37][0-9]{9}",
    "45": "[2-9][0-9]{7}",
    "47": "[2-9][0-9]{7}",
    "48": "[1-9][0-9]{8}",
    "49": "[2-9][0-9]{8,10}",
    "61": "[2-478][0-9]{8}",
    "65": "[689][0-9]{7}",
    "91": "[6-9][0-9]{9}",
}
_REGIONS = {
    # region: calling code and the digits a national number may (1) or must (0) start with
    "US": ("1", "1?"),
    "CA": ("1", "1?"),
    "GB": ("44", "0"),
    "DE": ("49", "0"),
    "FR": ("33", "0"),
    "NL": ("31", "0"),
    "CH": ("41", "0"),
    "AU": ("61", "0"),
    "ES": ("34", ""),
    "PL": ("48", ""),
}
_OTHER_EXITS = {"AU"}  # regions of the above where 00 may begin a longer prefix for calls abroad (0011): SQL gives null
_PUNCTUATION = " ()-./\u00a0"
_EXTENSION = r"([0-9]) ?(?:[xX]|[eE][xX][tT]\.?) ?[0-9]{1,6}$"
_BARE = str.maketrans("", "", _PUNCTUATION)


@lru_cache(maxsize=65_536)
def e164(value: str | None, region: str) -> str | None:
    """Return the number in E.164, national numbers read as of ``region``; None when it cannot be a number.

    A number is accepted when its length is possible in its plan; whether it is assigned is not asked, for plans grow.
    Extensions are dropped.
    """
    if value is None:
        return None
    written = text.trim(value)
    number, is_dialled_abroad = _parsed(written, region)
    bare = written.translate(_BARE)
    if bare.startswith("00") and not is_dialled_abroad:
        return _parsed("+" + bare[2:], region)[0]
    return number


def _parsed(written: str, region: str) -> tuple[str | None, bool]:
    """Return the number as the library reads it, and whether it began with the region's own prefix for calls abroad."""
    import phonenumbers

    try:
        number = phonenumbers.parse(written, region, keep_raw_input=True)
    except phonenumbers.NumberParseException:
        return None, False
    if phonenumbers.is_possible_number_with_reason(number) != phonenumbers.ValidationResult.IS_POSSIBLE:
        return None, False
    is_dialled_abroad = number.country_code_source == phonenumbers.CountryCodeSource.FROM_NUMBER_WITH_IDD
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164), is_dialled_abroad


def e164_sql(column: str, region: str) -> str:
    """Return the SQL of :func:`e164` for the common plans; null where the function must decide."""
    return e164_of_digits_sql(digits_sql(column), region)


def digits_sql(column: str) -> str:
    """Return SQL that takes extension and punctuation off a number, for :func:`e164_of_digits_sql`."""
    whole = f"regexp_replace({column}, {text.literal(_EXTENSION)}, '\\1')"
    main = f"CASE WHEN contains({column}, 'x') OR contains({column}, 'X') THEN {whole} ELSE {column} END"
    return f"translate({main}, {text.literal(_PUNCTUATION)}, '')"


def e164_of_digits_sql(digits: str, region: str) -> str:
    """Return the SQL of :func:`e164_sql` over the result of :func:`digits_sql`."""
    plans = "|".join(code + plan for code, plan in _PLANS.items())
    international = rf"CASE WHEN regexp_full_match({digits}, '\+(?:{plans})') THEN {digits} END"
    if region not in _REGIONS:
        return international
    abroad = f"CASE WHEN regexp_full_match({digits}, '00(?:{plans})') THEN '+' || substr({digits}, 3) END"
    exits = "" if region in _OTHER_EXITS else f"WHEN starts_with({digits}, '00') THEN {abroad} "
    code, trunk = _REGIONS[region]
    national = f"'+{code}' || nullif(regexp_extract({digits}, '^{trunk}({_PLANS[code]})$', 1), '')"
    return f"CASE WHEN starts_with({digits}, '+') THEN {international} {exits}ELSE {national} END"

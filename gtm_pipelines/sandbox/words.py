"""The words a world is made of: names with their nicknames, company words with their industry, titles, area codes.

Only lists belong here. First and last names of several languages come from Faker; what Faker does not have (nicknames,
company words that combine without repeating) is written out. ``sql/world`` counts on the lengths of the company words
and the area codes, and a test holds them.
"""

from __future__ import annotations


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


NICKNAMES = {
    "Alexander": "Alex", "Andrew": "Andy", "Anthony": "Tony", "Barbara": "Barb", "Benjamin": "Ben",
    "Catherine": "Cathy", "Charles": "Chuck", "Christopher": "Chris", "Daniel": "Dan", "David": "Dave",
    "Deborah": "Debbie", "Donald": "Don", "Edward": "Ed", "Elizabeth": "Liz", "Frederick": "Fred",
    "Gregory": "Greg", "James": "Jim", "Jennifer": "Jen", "Jessica": "Jess", "Jonathan": "Jon", "Joseph": "Joe",
    "Joshua": "Josh", "Katherine": "Kate", "Kenneth": "Ken", "Kimberly": "Kim", "Lawrence": "Larry",
    "Margaret": "Maggie", "Matthew": "Matt", "Michael": "Mike", "Nicholas": "Nick", "Patricia": "Pat",
    "Rebecca": "Becky", "Richard": "Rick", "Robert": "Bob", "Ronald": "Ron", "Samantha": "Sam", "Samuel": "Sam",
    "Stephen": "Steve", "Susan": "Sue", "Theodore": "Ted", "Thomas": "Tom", "Timothy": "Tim",
    "Victoria": "Vicky", "William": "Bill", "Zachary": "Zach",
}  # fmt: skip

COMPANY_FIRST = _words("""
    Amber Anchor Apex Arbor Argent Aster Atlas Aurora Autumn Azure Badger Basalt Beacon Birch Bluebird Boulder
    Bramble Bright Bronze Canyon Cardinal Cedar Cinder Citrus Clear Clover Cobalt Comet Copper Coral Crescent
    Crimson Crystal Cypress Dawn Delta Diamond Driftwood Dune Eagle Ember Emerald Evergreen Falcon Fern First Flint
    Forest Frontier Garnet Glacier Golden Granite Harbor Harvest Hazel Heron High Horizon Indigo Iron Ivory Jade
    Juniper Keystone Lakeside Lantern Laurel Liberty Lunar Magnolia Maple Marble Meadow Meridian Midland Mosaic
    Noble North Nova Oak Obsidian Onyx Opal Orchard Osprey Pacific Palisade Pebble Pine Pioneer Polar Prairie Quartz
    Quill Redwood
""")

COMPANY_SECOND = _words("""
    Arc Arrow Basin Bay Bell Bend Bloom Branch Bridge Brook Cliff Coast Compass Cove Creek Crest Crown Current Field
    Fjord Flame Fleet Ford Forge Fork Fox Gate Glen Grove Guild Gulf Haven Hawk Hearth Heights Hill Hollow Island
    Isle Key Knoll Lake Lane Leaf Ledge Light Line Link Loft Loom Mark Marsh Mast Mesa Mill Moor Mount Oar Orbit
    Park Pass Path Peak Pier Plain Point Pond Port Quarry Quay Range Rapids Reef Ridge River Road Rock Root Row Sail
    Sands Shore Sky Slope Spire Spring Spur Star Station Stone Stream Summit Tide Tower Trail Vale Vista
""")

COMPANY_TRADES = {
    "Analytics": "Software", "Software": "Software", "Cloud": "Software", "Robotics": "Manufacturing",
    "Foods": "Food", "Logistics": "Transportation", "Freight": "Transportation", "Energy": "Energy",
    "Solar": "Energy", "Capital": "Finance", "Insurance": "Insurance", "Health": "Healthcare",
    "Medical": "Healthcare", "Biotech": "Biotechnology", "Media": "Media", "Studios": "Media",
    "Hotels": "Hospitality", "Travel": "Hospitality", "Education": "Education", "Legal": "Legal",
    "Consulting": "Consulting", "Partners": "Consulting", "Security": "Technology",
    "Networks": "Telecommunications", "Telecom": "Telecommunications", "Textiles": "Apparel",
    "Retail": "Retail", "Outfitters": "Retail", "Builders": "Construction", "Materials": "Construction",
}  # fmt: skip

TITLES = (
    *(
        f"{rank} {area}".strip()
        for rank in ("VP", "Director of", "Head of", "Senior Manager,", "Manager,", "")
        for area in (
            "Sales",
            "Marketing",
            "Revenue Operations",
            "Product",
            "Engineering",
            "Finance",
            "Customer Success",
        )
    ),
    "CEO",
    "CTO",
    "CFO",
    "COO",
    "Founder",
    "Account Executive",
    "Data Engineer",
    "Office Manager",
)

CITIES = {
    "New York": "US", "Austin": "US", "Denver": "US", "Seattle": "US", "Chicago": "US", "Boston": "US", "Atlanta": "US",
    "Portland": "US", "Phoenix": "US", "Minneapolis": "US", "San Diego": "US", "Columbus": "US", "London": "GB",
}  # fmt: skip

AREA_CODES = _words("""
    201 202 203 205 206 207 208 209 210 212 213 214 215 216 217 218 219 224 225 228 229 231 234 239 240 248 251 252
    253 254 256 260 262 267 269 270 276 281 301 302 303 304 305 307 308 309 310 312 313 314 315 316 317 318 319 320
    321 323 325 330 334 336 337 347 351 352 360 361 386 401 402 404 405 406 407 408 409 410 412 413 414 415 417 419
    423 425 432 434 435 440 443 469 478 479 480 484 501 502 503 504 505 507 508 509 510 512 513 515 516 517 518 520
    530 540 541 559
""")

FREE_MAIL = ("gmail.com", "gmail.com", "gmail.com", "outlook.com", "yahoo.com", "hotmail.com", "icloud.com")


def first_names() -> list[str]:
    """First names of four languages, those with a nickname thrice so that they are as common as they are."""
    return [*NICKNAMES, *NICKNAMES, *_faker("first_names")]


def last_names() -> list[str]:
    """Last names of four languages, and two that careless readers take for an empty cell."""
    return ["Null", "Na", *_faker("last_names")]


def _faker(attribute: str) -> list[str]:
    from faker.providers.person import de_DE, en_US, es_ES, fr_FR

    languages = (en_US, en_US, en_US, de_DE, fr_FR, es_ES)
    return [name for language in languages for name in getattr(language.Provider, attribute)]

"""Values that look like keys and identify nobody: role mailboxes, shared hosts, placeholder names.

Lists, so that adding to them is a data change. Counting owners of a key is not done here (that takes a table): its
limits stand in the rules.
"""

from __future__ import annotations

ROLE_MAILBOXES = frozenset(
    """
    abuse accounting accounts admin administrator billing booking bookings career careers compliance contact
    contactus customerservice dpo enquiries enquiry events facturation feedback finance general hello help helpdesk
    hi hola hostmaster hr info information inquiries inquiry invoice invoices it jobs kontakt legal mail mailbox
    mailerdaemon mailer-daemon marketing media newsletter no-reply no_reply noreply donotreply do-not-reply office
    operations ops orders partner partners payments postmaster press privacy procurement purchasing reception
    recruiting recruitment root sales salesteam security service services shop spam support team techsupport test
    tickets unsubscribe user vendor webmaster welcome
    """.split()  # noqa: SIM905  a word list reads better as words
)
"""Local parts behind which sit several people, or none."""

PLACEHOLDER_DOMAINS = frozenset(
    {"example.com", "example.org", "example.net", "test.com", "invalid.com", "none.com", "noemail.com"}
)
"""Mail domains people type when they must type something."""

SHARED_HOSTS = frozenset(
    """
    facebook.com linkedin.com twitter.com x.com instagram.com youtube.com tiktok.com github.com github.io medium.com
    wordpress.com wixsite.com weebly.com squarespace.com blogspot.com tumblr.com shopify.com myshopify.com etsy.com
    google.com sites.google.com notion.site linktr.ee business.site example.com example.org example.net test.com
    """.split()  # noqa: SIM905  a word list reads better as words
)
"""Hosts given as a company's website by companies that do not own them."""

PLACEHOLDER_COMPANIES = frozenset(
    {
        "company",
        "freelance",
        "freelancer",
        "independent",
        "individual",
        "n a",
        "na",
        "none",
        "not available",
        "not applicable",
        "personal",
        "private",
        "retired",
        "self",
        "self employed",
        "selfemployed",
        "student",
        "tbd",
        "test",
        "unemployed",
        "unknown",
        "xxx",
    }
)  # fmt: skip  one word list, not a column
"""Normalised company names that are no company."""

PLACEHOLDER_NAMES = frozenset(
    {"", "test", "unknown", "n/a", "na", "none", "user", "admin", "contact", "info", "customer"}
)
"""Normalised first or last names that are nobody's."""

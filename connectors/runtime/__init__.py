"""The runtime: how a connector reaches its vendor and what it builds pages with. Nothing here knows a vendor.

A vendor's ``source.py`` uses it so::

    from connectors.connector import Connector, Credentials, Page
    from connectors.landing import RecordShape, land, read_envelope
    from connectors.runtime.auth import OAuth2Refresh
    from connectors.runtime.classification import Do, Verdict, structured_codes
    from connectors.runtime.pagination import follow_token
    from connectors.runtime.transport import Request

    def classify(response):                      # what only this vendor means by a status or code; None = the table
        if "REQUEST_LIMIT_EXCEEDED" in structured_codes(response):
            return Verdict(Do.DEFER, "quota_spent", "the account's daily calls are used up", wait=3600)
        return None

    class AcmeConnector(Connector):
        manifest = registry.manifest("acme")

        def authenticate(self):
            auth = OAuth2Refresh(self.context.credentials, token_url, clock=self.context.clock, keep=("instance_url",))
            session = self.context.transport.authorise(auth)     # at most one token request; stored before it is used
            return Credentials(session.extra["instance_url"].reveal(), auth, session.expires_at)

        def sync(self, credentials, cursor, options):
            request = Request("GET", f"{credentials.base_url}/people", params={"limit": "500"})
            send = lambda r: self.context.transport.send(r, credentials.auth, classify)
            for response in follow_token(send, request, at="next", param="start"):
                landed = land(response.content, PEOPLE)
                yield Page(landed.table, cursor=None, has_more=True, unreadable=landed.unreadable)

What a vendor need not do: retry, sleep, count attempts, read Retry-After, follow redirects, check hosts, refresh a
token, guard against endless pages, parse rows, hide secrets. What it must do: say what its codes mean (``classify``),
pass ``safe=True`` on a POST that only reads, yield a final page with ``has_more=False`` even when it is empty, and let
every :mod:`connectors.errors` error pass.

Modules: ``transport`` (the only I/O), ``messages`` (Request, Response), ``classification`` (statuses and codes to
verdicts), ``retry``, ``ratelimit``, ``circuit``, ``exchange`` (limits), ``egress`` (hosts and addresses), ``redaction``
(Secret), ``paths``, ``jsontext`` and ``timestamps`` (bytes to values), ``slicing``, ``fitness``, ``heads``, ``keys``
and ``repeats`` (records to rows), ``auth``, ``pagination``.
"""

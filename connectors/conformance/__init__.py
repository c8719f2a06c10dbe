"""Whether a connector keeps the contract: checks as plain functions, and judges that apply them.

``checks`` looks at what a connector did, ``folder`` at what lies in its folder, ``judge`` puts the checks together for
one account at any server. The test suite and ``gtm connectors check`` share them.
"""

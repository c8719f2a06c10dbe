"""Normal forms of e-mail addresses, domains, company names, telephone numbers and people's names.

Each module holds one pure function per form and, where the form is needed for whole tables, an SQL expression for the
same form. The two agree by test; where SQL cannot decide, its expression gives null and the function decides.
"""

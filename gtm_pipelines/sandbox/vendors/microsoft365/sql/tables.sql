-- A directory with its mailboxes. Every row says in which step it last changed: that is what delta tokens compare with.
CREATE TABLE microsoft365.account (
    n BIGINT, id VARCHAR, upn VARCHAR, mail VARCHAR, given VARCHAR, surname VARCHAR, title VARCHAR, phone VARCHAR, mobile VARCHAR,
    kind VARCHAR, -- member, room (a member without a mailbox), guest
    is_enabled BOOLEAN, is_deleted BOOLEAN, created_s BIGINT, changed_step BIGINT
);

-- One row per copy of a meeting: everybody invited has one in the own mailbox. A series is its master and its occurrences.
CREATE TABLE microsoft365.event (
    mailbox BIGINT, serial BIGINT, hash UBIGINT, ical_uid VARCHAR, kind VARCHAR, master_hash UBIGINT, subject VARCHAR,
    start_s BIGINT, end_s BIGINT, last_end_s BIGINT, was_start_s BIGINT, organizer STRUCT(name VARCHAR, address VARCHAR),
    sellers STRUCT(name VARCHAR, address VARCHAR)[], people STRUCT(name VARCHAR, address VARCHAR, n BIGINT)[],
    is_cancelled BOOLEAN, is_removed BOOLEAN, created_s BIGINT, modified_s BIGINT, changed_step BIGINT, _person BIGINT
);

-- One row per copy of a message.
CREATE TABLE microsoft365.message (
    mailbox BIGINT, serial BIGINT, hash UBIGINT, folder VARCHAR, was_in VARCHAR, internet_id VARCHAR, conversation VARCHAR, subject VARCHAR,
    sender STRUCT(name VARCHAR, address VARCHAR), recipients STRUCT(name VARCHAR, address VARCHAR)[],
    copied STRUCT(name VARCHAR, address VARCHAR)[], sent_s BIGINT, received_s BIGINT, modified_s BIGINT,
    is_removed BOOLEAN, changed_step BIGINT, _person BIGINT
);

CREATE MACRO microsoft365.guid(n, salt) AS concat(
    printf('%08x', gen.h(n, salt) % 4294967296), '-', printf('%04x', gen.h(n, concat(salt, ' b')) % 65536), '-4',
    printf('%03x', gen.h(n, concat(salt, ' c')) % 4096), '-a', printf('%03x', gen.h(n, concat(salt, ' d')) % 4096), '-',
    printf('%012x', gen.h(n, concat(salt, ' e')) % 281474976710656));

-- Seen by Outlook: mostly as it is, sometimes as somebody typed it, sometimes the private one.
CREATE MACRO microsoft365.address_of(email, personal, n, draw) AS CASE
    WHEN gen.chance(n, 'outlook personal', 0.05) THEN personal
    WHEN draw % 12 = 0 THEN concat(upper(email[1]), substr(email, 2))
    WHEN draw % 37 = 0 THEN upper(email) ELSE email END;

-- Ids that stay when a thing is moved, as the header IdType="ImmutableId" asks for. Case matters in them.
CREATE MACRO microsoft365.event_id(hash) AS concat('AAkALgAAAAAAHYQDEapEv', to_base64(encode(printf('%016x', hash))));
CREATE MACRO microsoft365.message_id(hash) AS concat('AAkALgAAAAAAHYQDEapMm', to_base64(encode(printf('%016x', hash))));

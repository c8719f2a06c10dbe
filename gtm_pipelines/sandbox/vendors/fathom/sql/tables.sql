-- Fathom. What was said is not stored but drawn when asked for; transcript_s is the moment from which it can be.
CREATE TABLE fathom.colleague (i BIGINT, name VARCHAR, email VARCHAR, team VARCHAR, created_s BIGINT);
CREATE TABLE fathom.meeting (
    recording_id BIGINT, title VARCHAR, meeting_title VARCHAR, created_s BIGINT, visible_s BIGINT, scheduled_s BIGINT, start_s BIGINT,
    end_s BIGINT, host BIGINT, utterances BIGINT, transcript_s BIGINT, _person BIGINT, _company BIGINT
);
CREATE TABLE fathom.invitee (recording_id BIGINT, position BIGINT, name VARCHAR, email VARCHAR, is_external BOOLEAN, _person BIGINT);
CREATE TABLE fathom.action_item (
    recording_id BIGINT, position BIGINT, description VARCHAR, user_generated BOOLEAN, completed BOOLEAN, assignee BIGINT
);

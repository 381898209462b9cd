-- Mails to be sent and what became of them. Of one-time links it holds no token, only which link
-- is meant. No foreign keys: a mail about a removed account still has to go out.
CREATE TABLE outbox (
    id BLOB NOT NULL CHECK (length(id) = 16),
    message_id TEXT NOT NULL,
    recipient TEXT NOT NULL,
    recipient_key TEXT NOT NULL,
    user_id BLOB CHECK (length(user_id) = 16),
    language TEXT NOT NULL,
    lane TEXT NOT NULL,
    place INTEGER NOT NULL,
    kind TEXT NOT NULL,
    data TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER,
    state TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    due_at INTEGER NOT NULL,
    lease BLOB CHECK (length(lease) = 16),
    settled_at INTEGER,
    reason TEXT NOT NULL,
    PRIMARY KEY (id)
) STRICT;
CREATE INDEX outbox_by_state_lane_due_at_place ON outbox (state, lane, due_at, place);
CREATE INDEX outbox_by_recipient_key_lane_state_place ON outbox (recipient_key, lane, state, place);
CREATE INDEX outbox_by_state_expires_at ON outbox (state, expires_at);
CREATE INDEX outbox_by_state_settled_at ON outbox (state, settled_at);
CREATE INDEX outbox_by_user_id_state ON outbox (user_id, state);
CREATE INDEX outbox_by_state_id ON outbox (state, id);
CREATE INDEX outbox_by_kind_id ON outbox (kind, id);
CREATE INDEX outbox_by_recipient_key_id ON outbox (recipient_key, id);

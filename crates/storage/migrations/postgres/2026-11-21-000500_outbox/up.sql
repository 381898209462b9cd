-- Mails to be sent and what became of them. Of one-time links it holds no token, only which link
-- is meant. No foreign keys: a mail about a removed account still has to go out.
CREATE TABLE outbox (
    id BYTEA NOT NULL CHECK (octet_length(id) = 16),
    message_id TEXT COLLATE "C" NOT NULL,
    recipient TEXT COLLATE "C" NOT NULL,
    recipient_key TEXT COLLATE "C" NOT NULL,
    user_id BYTEA CHECK (octet_length(user_id) = 16),
    language TEXT COLLATE "C" NOT NULL,
    lane TEXT COLLATE "C" NOT NULL,
    place BIGINT NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    data TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT,
    state TEXT COLLATE "C" NOT NULL,
    attempts INTEGER NOT NULL,
    due_at BIGINT NOT NULL,
    lease BYTEA CHECK (octet_length(lease) = 16),
    settled_at BIGINT,
    reason TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (id)
);
CREATE INDEX outbox_by_state_lane_due_at_place ON outbox (state, lane, due_at, place);
CREATE INDEX outbox_by_recipient_key_lane_state_place ON outbox (recipient_key, lane, state, place);
CREATE INDEX outbox_by_state_expires_at ON outbox (state, expires_at);
CREATE INDEX outbox_by_state_settled_at ON outbox (state, settled_at);
CREATE INDEX outbox_by_user_id_state ON outbox (user_id, state);
CREATE INDEX outbox_by_state_id ON outbox (state, id);
CREATE INDEX outbox_by_kind_id ON outbox (kind, id);
CREATE INDEX outbox_by_recipient_key_id ON outbox (recipient_key, id);

-- Who did what. No foreign keys: the log outlives what it tells of.
CREATE TABLE audit_events (
    id BYTEA NOT NULL CHECK (octet_length(id) = 16),
    at BIGINT NOT NULL,
    actor_id BYTEA CHECK (octet_length(actor_id) = 16),
    actor TEXT COLLATE "C" NOT NULL,
    address TEXT COLLATE "C" NOT NULL,
    user_agent TEXT COLLATE "C" NOT NULL,
    request_id BYTEA NOT NULL CHECK (octet_length(request_id) = 16),
    action TEXT COLLATE "C" NOT NULL,
    target_kind TEXT COLLATE "C" NOT NULL,
    target_id TEXT COLLATE "C" NOT NULL,
    target TEXT COLLATE "C" NOT NULL,
    by_right TEXT COLLATE "C" NOT NULL,
    details TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (id)
);
CREATE INDEX audit_events_by_at ON audit_events (at);
CREATE INDEX audit_events_by_actor_id_id ON audit_events (actor_id, id);
CREATE INDEX audit_events_by_action_id ON audit_events (action, id);
CREATE INDEX audit_events_by_target_kind_target_id_id ON audit_events (target_kind, target_id, id);

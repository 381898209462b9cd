-- Who did what. No foreign keys: the log outlives what it tells of.
CREATE TABLE audit_events (
    id BLOB NOT NULL CHECK (length(id) = 16),
    at INTEGER NOT NULL,
    actor_id BLOB CHECK (length(actor_id) = 16),
    actor TEXT NOT NULL,
    address TEXT NOT NULL,
    user_agent TEXT NOT NULL,
    request_id BLOB NOT NULL CHECK (length(request_id) = 16),
    action TEXT NOT NULL,
    target_kind TEXT NOT NULL,
    target_id TEXT NOT NULL,
    target TEXT NOT NULL,
    by_right TEXT NOT NULL,
    details TEXT NOT NULL,
    PRIMARY KEY (id)
) STRICT;
CREATE INDEX audit_events_by_at ON audit_events (at);
CREATE INDEX audit_events_by_actor_id_id ON audit_events (actor_id, id);
CREATE INDEX audit_events_by_action_id ON audit_events (action, id);
CREATE INDEX audit_events_by_target_kind_target_id_id ON audit_events (target_kind, target_id, id);

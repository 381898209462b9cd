-- Allowances and denials. subject_id is user_id or group_id or zeros, so that one unique index covers all.
CREATE TABLE grants (
    id BLOB NOT NULL CHECK (length(id) = 16),
    subject_kind TEXT NOT NULL,
    subject_id BLOB NOT NULL CHECK (length(subject_id) = 16),
    user_id BLOB CHECK (length(user_id) = 16),
    group_id BLOB CHECK (length(group_id) = 16),
    permission TEXT NOT NULL,
    effect TEXT NOT NULL,
    scope_kind TEXT NOT NULL,
    object_kind TEXT NOT NULL,
    object_id TEXT NOT NULL,
    expires_at INTEGER,
    granted_by BLOB CHECK (length(granted_by) = 16),
    granted_at INTEGER NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT grants_user_id FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE,
    CONSTRAINT grants_group_id FOREIGN KEY (group_id) REFERENCES "groups" (id) ON DELETE CASCADE,
    CONSTRAINT grants_permission FOREIGN KEY (permission) REFERENCES permissions (code) ON DELETE CASCADE
) STRICT;
CREATE UNIQUE INDEX grants_once ON grants (subject_id, subject_kind, permission, effect, scope_kind, object_kind, object_id);
CREATE INDEX grants_by_permission_id ON grants (permission, id);
CREATE INDEX grants_by_object_kind_object_id_id ON grants (object_kind, object_id, id);
CREATE INDEX grants_by_user_id ON grants (user_id);
CREATE INDEX grants_by_group_id ON grants (group_id);

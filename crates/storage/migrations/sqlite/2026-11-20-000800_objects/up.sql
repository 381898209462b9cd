-- What is known of the services' objects.
CREATE TABLE objects (
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    owner_id BLOB NOT NULL CHECK (length(owner_id) = 16),
    group_id BLOB CHECK (length(group_id) = 16),
    level TEXT,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (kind, id),
    CONSTRAINT objects_owner_id FOREIGN KEY (owner_id) REFERENCES users (id) ON DELETE RESTRICT,
    CONSTRAINT objects_group_id FOREIGN KEY (group_id) REFERENCES "groups" (id) ON DELETE RESTRICT
) STRICT, WITHOUT ROWID;
CREATE INDEX objects_by_owner_id_kind_id ON objects (owner_id, kind, id);
CREATE INDEX objects_by_group_id_kind_id ON objects (group_id, kind, id);

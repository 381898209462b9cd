-- What is known of the services' objects.
CREATE TABLE objects (
    kind TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    owner_id BYTEA NOT NULL CHECK (octet_length(owner_id) = 16),
    group_id BYTEA CHECK (octet_length(group_id) = 16),
    level TEXT COLLATE "C",
    created_at BIGINT NOT NULL,
    PRIMARY KEY (kind, id),
    CONSTRAINT objects_owner_id FOREIGN KEY (owner_id) REFERENCES users (id) ON DELETE RESTRICT,
    CONSTRAINT objects_group_id FOREIGN KEY (group_id) REFERENCES "groups" (id) ON DELETE RESTRICT
);
CREATE INDEX objects_by_owner_id_kind_id ON objects (owner_id, kind, id);
CREATE INDEX objects_by_group_id_kind_id ON objects (group_id, kind, id);

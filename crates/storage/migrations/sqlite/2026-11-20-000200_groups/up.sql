-- Sets of users that grants are made to.
CREATE TABLE "groups" (
    id BLOB NOT NULL CHECK (length(id) = 16),
    name TEXT NOT NULL,
    name_key TEXT NOT NULL,
    description TEXT NOT NULL,
    level TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (id)
) STRICT;
CREATE UNIQUE INDEX groups_name_key ON "groups" (name_key);
CREATE INDEX groups_by_created_at_id ON "groups" (created_at, id);

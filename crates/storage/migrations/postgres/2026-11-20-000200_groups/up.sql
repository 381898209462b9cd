-- Sets of users that grants are made to.
CREATE TABLE "groups" (
    id BYTEA NOT NULL CHECK (octet_length(id) = 16),
    name TEXT COLLATE "C" NOT NULL,
    name_key TEXT COLLATE "C" NOT NULL,
    description TEXT COLLATE "C" NOT NULL,
    level TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (id)
);
CREATE UNIQUE INDEX groups_name_key ON "groups" (name_key);
CREATE INDEX groups_by_created_at_id ON "groups" (created_at, id);

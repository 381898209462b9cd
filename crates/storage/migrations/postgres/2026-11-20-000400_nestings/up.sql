-- The members of the child count as members of the parent.
CREATE TABLE nestings (
    parent_id BYTEA NOT NULL CHECK (octet_length(parent_id) = 16),
    child_id BYTEA NOT NULL CHECK (octet_length(child_id) = 16),
    PRIMARY KEY (parent_id, child_id),
    CONSTRAINT nestings_parent_id FOREIGN KEY (parent_id) REFERENCES "groups" (id) ON DELETE CASCADE,
    CONSTRAINT nestings_child_id FOREIGN KEY (child_id) REFERENCES "groups" (id) ON DELETE CASCADE
);
CREATE INDEX nestings_by_child_id ON nestings (child_id);

-- What services have registered.
CREATE TABLE permissions (
    code TEXT NOT NULL,
    description TEXT NOT NULL,
    service TEXT NOT NULL,
    object_kind TEXT,
    object_action TEXT,
    registered_at INTEGER NOT NULL,
    PRIMARY KEY (code)
) STRICT;

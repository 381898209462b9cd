-- Which foreign row became which of ours.
CREATE TABLE import_links (
    source TEXT NOT NULL,
    kind TEXT NOT NULL,
    foreign_key TEXT NOT NULL,
    local_id BLOB NOT NULL CHECK (length(local_id) = 16),
    fingerprint BLOB NOT NULL CHECK (length(fingerprint) = 32),
    PRIMARY KEY (source, kind, foreign_key)
) STRICT, WITHOUT ROWID;

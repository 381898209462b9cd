-- Which foreign row became which of ours.
CREATE TABLE import_links (
    source TEXT COLLATE "C" NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    foreign_key TEXT COLLATE "C" NOT NULL,
    local_id BYTEA NOT NULL CHECK (octet_length(local_id) = 16),
    fingerprint BYTEA NOT NULL CHECK (octet_length(fingerprint) = 32),
    PRIMARY KEY (source, kind, foreign_key)
);

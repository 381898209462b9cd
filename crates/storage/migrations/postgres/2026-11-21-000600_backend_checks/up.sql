-- When a backend was last asked about somebody by ourselves, and since when it could not tell.
CREATE TABLE backend_checks (
    backend TEXT COLLATE "C" NOT NULL,
    user_id BYTEA NOT NULL CHECK (octet_length(user_id) = 16),
    checked_at BIGINT NOT NULL,
    stale_since BIGINT,
    PRIMARY KEY (backend, user_id),
    CONSTRAINT backend_checks_user_id FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
);
CREATE INDEX backend_checks_by_user_id ON backend_checks (user_id);

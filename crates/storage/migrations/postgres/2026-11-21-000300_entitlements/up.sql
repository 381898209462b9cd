-- When a backend last let somebody in whom another one had verified.
CREATE TABLE entitlements (
    backend TEXT COLLATE "C" NOT NULL,
    user_id BYTEA NOT NULL CHECK (octet_length(user_id) = 16),
    at BIGINT NOT NULL,
    PRIMARY KEY (backend, user_id),
    CONSTRAINT entitlements_user_id FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
);
CREATE INDEX entitlements_by_user_id ON entitlements (user_id);

-- What administrators tell many people at once. Whom it still has to be posted to stands in
-- batches, settled when it was sent; a mail in the outbox knows which announcement it is of.
CREATE TABLE announcements (
    id BYTEA NOT NULL CHECK (octet_length(id) = 16),
    subject TEXT COLLATE "C" NOT NULL,
    text TEXT COLLATE "C" NOT NULL,
    audience TEXT COLLATE "C" NOT NULL,
    include_inactive BOOLEAN NOT NULL,
    author_id BYTEA CHECK (octet_length(author_id) = 16),
    author TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    cancelled_at BIGINT,
    unposted BIGINT NOT NULL,
    without_address BIGINT NOT NULL,
    left_out BIGINT NOT NULL,
    sent BIGINT NOT NULL,
    failed BIGINT NOT NULL,
    cancelled BIGINT NOT NULL,
    PRIMARY KEY (id)
);
CREATE TABLE announcement_batches (
    announcement_id BYTEA NOT NULL CHECK (octet_length(announcement_id) = 16),
    number INTEGER NOT NULL,
    people BYTEA NOT NULL,
    PRIMARY KEY (announcement_id, number),
    CONSTRAINT announcement_batches_announcement_id FOREIGN KEY (announcement_id) REFERENCES announcements (id) ON DELETE CASCADE
);
ALTER TABLE outbox ADD COLUMN announcement_id BYTEA CHECK (octet_length(announcement_id) = 16);
CREATE INDEX outbox_by_announcement_id_state ON outbox (announcement_id, state);

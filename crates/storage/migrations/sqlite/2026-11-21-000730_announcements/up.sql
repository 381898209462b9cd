-- What administrators tell many people at once. Whom it still has to be posted to stands in
-- batches, settled when it was sent; a mail in the outbox knows which announcement it is of.
CREATE TABLE announcements (
    id BLOB NOT NULL CHECK (length(id) = 16),
    subject TEXT NOT NULL,
    text TEXT NOT NULL,
    audience TEXT NOT NULL,
    include_inactive INTEGER NOT NULL CHECK (include_inactive IN (0, 1)),
    author_id BLOB CHECK (length(author_id) = 16),
    author TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    cancelled_at INTEGER,
    unposted INTEGER NOT NULL,
    without_address INTEGER NOT NULL,
    left_out INTEGER NOT NULL,
    sent INTEGER NOT NULL,
    failed INTEGER NOT NULL,
    cancelled INTEGER NOT NULL,
    PRIMARY KEY (id)
) STRICT;
CREATE TABLE announcement_batches (
    announcement_id BLOB NOT NULL CHECK (length(announcement_id) = 16),
    number INTEGER NOT NULL,
    people BLOB NOT NULL,
    PRIMARY KEY (announcement_id, number),
    FOREIGN KEY (announcement_id) REFERENCES announcements (id) ON DELETE CASCADE
) STRICT;
ALTER TABLE outbox ADD COLUMN announcement_id BLOB CHECK (length(announcement_id) = 16);
CREATE INDEX outbox_by_announcement_id_state ON outbox (announcement_id, state);

-- Which caches are out of date, in order.
CREATE TABLE changes (
    number INTEGER NOT NULL,
    user_id BLOB CHECK (length(user_id) = 16),
    at INTEGER NOT NULL,
    PRIMARY KEY (number)
) STRICT;
CREATE INDEX changes_by_at ON changes (at);

-- Which caches are out of date, in order.
CREATE TABLE changes (
    number BIGINT NOT NULL,
    user_id BYTEA CHECK (octet_length(user_id) = 16),
    at BIGINT NOT NULL,
    PRIMARY KEY (number)
);
CREATE INDEX changes_by_at ON changes (at);

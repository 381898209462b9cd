-- Failed logins, by the digest of what was tried.
CREATE TABLE IF NOT EXISTS `login_failures` (
    `key_digest` BINARY(32) NOT NULL,
    `since` BIGINT NOT NULL,
    `failures` INTEGER NOT NULL,
    PRIMARY KEY (`key_digest`),
    KEY `login_failures_by_since` (`since`)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- One-time links, by the digest of their token.
CREATE TABLE IF NOT EXISTS `tickets` (
    `digest` BINARY(32) NOT NULL,
    `purpose` VARCHAR(40) NOT NULL,
    `user_id` BINARY(16),
    `expires_at` BIGINT NOT NULL,
    PRIMARY KEY (`digest`),
    KEY `tickets_by_purpose` (`purpose`),
    KEY `tickets_by_user_id` (`user_id`),
    KEY `tickets_by_expires_at` (`expires_at`),
    CONSTRAINT `tickets_user_id` FOREIGN KEY (`user_id`) REFERENCES `users` (`id`) ON DELETE CASCADE
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- Logins in force, by the digest of their token.
CREATE TABLE IF NOT EXISTS `sessions` (
    `digest` BINARY(32) NOT NULL,
    `id` BINARY(16) NOT NULL,
    `user_id` BINARY(16) NOT NULL,
    `created_at` BIGINT NOT NULL,
    `last_seen_at` BIGINT NOT NULL,
    `expires_at` BIGINT NOT NULL,
    `address` MEDIUMTEXT NOT NULL,
    `user_agent` MEDIUMTEXT NOT NULL,
    `backend` MEDIUMTEXT NOT NULL,
    PRIMARY KEY (`digest`),
    UNIQUE KEY `sessions_id` (`id`),
    KEY `sessions_by_user_id_created_at` (`user_id`, `created_at`),
    KEY `sessions_by_expires_at` (`expires_at`),
    KEY `sessions_by_last_seen_at` (`last_seen_at`),
    CONSTRAINT `sessions_user_id` FOREIGN KEY (`user_id`) REFERENCES `users` (`id`) ON DELETE CASCADE
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

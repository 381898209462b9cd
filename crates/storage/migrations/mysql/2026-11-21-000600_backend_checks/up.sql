-- When a backend was last asked about somebody by ourselves, and since when it could not tell.
CREATE TABLE IF NOT EXISTS `backend_checks` (
    `backend` VARBINARY(40) NOT NULL,
    `user_id` BINARY(16) NOT NULL,
    `checked_at` BIGINT NOT NULL,
    `stale_since` BIGINT,
    PRIMARY KEY (`backend`, `user_id`),
    KEY `backend_checks_by_user_id` (`user_id`),
    CONSTRAINT `backend_checks_user_id` FOREIGN KEY (`user_id`) REFERENCES `users` (`id`) ON DELETE CASCADE
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

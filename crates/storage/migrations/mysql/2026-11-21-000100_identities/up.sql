-- Who somebody is elsewhere, and whose account here that is.
CREATE TABLE IF NOT EXISTS `identities` (
    `backend` VARBINARY(40) NOT NULL,
    `subject` VARBINARY(255) NOT NULL,
    `user_id` BINARY(16) NOT NULL,
    `linked_at` BIGINT NOT NULL,
    `used_at` BIGINT NOT NULL,
    `groups_at` BIGINT,
    PRIMARY KEY (`backend`, `subject`),
    KEY `identities_by_user_id` (`user_id`),
    CONSTRAINT `identities_user_id` FOREIGN KEY (`user_id`) REFERENCES `users` (`id`) ON DELETE CASCADE
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

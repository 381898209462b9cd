-- Who is in which group.
CREATE TABLE IF NOT EXISTS `memberships` (
    `group_id` BINARY(16) NOT NULL,
    `user_id` BINARY(16) NOT NULL,
    `is_manager` BOOLEAN NOT NULL,
    `expires_at` BIGINT,
    `since` BIGINT NOT NULL,
    PRIMARY KEY (`group_id`, `user_id`),
    KEY `memberships_by_user_id` (`user_id`),
    CONSTRAINT `memberships_group_id` FOREIGN KEY (`group_id`) REFERENCES `groups` (`id`) ON DELETE CASCADE,
    CONSTRAINT `memberships_user_id` FOREIGN KEY (`user_id`) REFERENCES `users` (`id`) ON DELETE CASCADE
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

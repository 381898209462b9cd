-- Which memberships come from a backend; one without a row was made by hand.
CREATE TABLE IF NOT EXISTS `membership_sources` (
    `group_id` BINARY(16) NOT NULL,
    `user_id` BINARY(16) NOT NULL,
    `source` VARBINARY(40) NOT NULL,
    PRIMARY KEY (`group_id`, `user_id`, `source`),
    KEY `membership_sources_by_user_id` (`user_id`, `source`),
    CONSTRAINT `membership_sources_group_id` FOREIGN KEY (`group_id`) REFERENCES `groups` (`id`) ON DELETE CASCADE,
    CONSTRAINT `membership_sources_user_id` FOREIGN KEY (`user_id`) REFERENCES `users` (`id`) ON DELETE CASCADE
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

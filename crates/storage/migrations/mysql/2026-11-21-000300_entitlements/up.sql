-- When a backend last let somebody in whom another one had verified.
CREATE TABLE IF NOT EXISTS `entitlements` (
    `backend` VARBINARY(40) NOT NULL,
    `user_id` BINARY(16) NOT NULL,
    `at` BIGINT NOT NULL,
    PRIMARY KEY (`backend`, `user_id`),
    KEY `entitlements_by_user_id` (`user_id`),
    CONSTRAINT `entitlements_user_id` FOREIGN KEY (`user_id`) REFERENCES `users` (`id`) ON DELETE CASCADE
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

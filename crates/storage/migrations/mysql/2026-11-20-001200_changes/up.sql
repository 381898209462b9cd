-- Which caches are out of date, in order.
CREATE TABLE IF NOT EXISTS `changes` (
    `number` BIGINT NOT NULL,
    `user_id` BINARY(16),
    `at` BIGINT NOT NULL,
    PRIMARY KEY (`number`),
    KEY `changes_by_at` (`at`)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

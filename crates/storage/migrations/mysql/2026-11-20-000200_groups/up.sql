-- Sets of users that grants are made to.
CREATE TABLE IF NOT EXISTS `groups` (
    `id` BINARY(16) NOT NULL,
    `name` VARCHAR(150) NOT NULL,
    `name_key` VARBINARY(2600) NOT NULL,
    `description` VARCHAR(500) NOT NULL,
    `level` VARCHAR(16) NOT NULL,
    `created_at` BIGINT NOT NULL,
    PRIMARY KEY (`id`),
    UNIQUE KEY `groups_name_key` (`name_key`),
    KEY `groups_by_created_at_id` (`created_at`, `id`)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

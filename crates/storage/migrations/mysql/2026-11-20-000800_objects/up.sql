-- What is known of the services' objects.
CREATE TABLE IF NOT EXISTS `objects` (
    `kind` VARBINARY(100) NOT NULL,
    `id` VARBINARY(300) NOT NULL,
    `owner_id` BINARY(16) NOT NULL,
    `group_id` BINARY(16),
    `level` VARCHAR(16),
    `created_at` BIGINT NOT NULL,
    PRIMARY KEY (`kind`, `id`),
    KEY `objects_by_owner_id_kind_id` (`owner_id`, `kind`, `id`),
    KEY `objects_by_group_id_kind_id` (`group_id`, `kind`, `id`),
    CONSTRAINT `objects_owner_id` FOREIGN KEY (`owner_id`) REFERENCES `users` (`id`) ON DELETE RESTRICT,
    CONSTRAINT `objects_group_id` FOREIGN KEY (`group_id`) REFERENCES `groups` (`id`) ON DELETE RESTRICT
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- The members of the child count as members of the parent.
CREATE TABLE IF NOT EXISTS `nestings` (
    `parent_id` BINARY(16) NOT NULL,
    `child_id` BINARY(16) NOT NULL,
    PRIMARY KEY (`parent_id`, `child_id`),
    KEY `nestings_by_child_id` (`child_id`),
    CONSTRAINT `nestings_parent_id` FOREIGN KEY (`parent_id`) REFERENCES `groups` (`id`) ON DELETE CASCADE,
    CONSTRAINT `nestings_child_id` FOREIGN KEY (`child_id`) REFERENCES `groups` (`id`) ON DELETE CASCADE
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

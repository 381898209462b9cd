-- One row: the number of the last change. Its lock puts changes of rights in order.
CREATE TABLE IF NOT EXISTS `change_counter` (
    `id` SMALLINT NOT NULL,
    `value` BIGINT NOT NULL,
    PRIMARY KEY (`id`)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

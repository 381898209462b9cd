-- Logins that wait for the visitor, by the digest of the token that is brought back.
CREATE TABLE IF NOT EXISTS `login_steps` (
    `digest` BINARY(32) NOT NULL,
    `backend` VARBINARY(40) NOT NULL,
    `browser` BINARY(32),
    `sealed` MEDIUMBLOB NOT NULL,
    `expires_at` BIGINT NOT NULL,
    PRIMARY KEY (`digest`),
    KEY `login_steps_by_expires_at` (`expires_at`)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

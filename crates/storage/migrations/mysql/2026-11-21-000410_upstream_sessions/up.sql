-- By what a backend knows the session there that a session here came from.
CREATE TABLE IF NOT EXISTS `upstream_sessions` (
    `session_id` BINARY(16) NOT NULL,
    `backend` VARBINARY(40) NOT NULL,
    `sid` VARBINARY(255) NOT NULL,
    PRIMARY KEY (`session_id`),
    KEY `upstream_sessions_by_backend_sid` (`backend`, `sid`),
    CONSTRAINT `upstream_sessions_session_id` FOREIGN KEY (`session_id`) REFERENCES `sessions` (`id`) ON DELETE CASCADE
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

DROP TABLE IF EXISTS `upstream_sessions`;

DROP TABLE IF EXISTS `delete_rules`;

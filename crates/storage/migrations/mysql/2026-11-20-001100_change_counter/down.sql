DROP TABLE IF EXISTS `change_counter`;

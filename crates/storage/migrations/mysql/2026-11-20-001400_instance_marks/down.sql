DROP TABLE IF EXISTS `instance_marks`;

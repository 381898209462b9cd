DROP TABLE IF EXISTS `import_links`;

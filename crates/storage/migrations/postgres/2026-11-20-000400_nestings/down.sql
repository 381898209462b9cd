DROP TABLE nestings;

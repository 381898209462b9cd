DROP TABLE membership_sources;

DROP TABLE browsers;
DROP TABLE consents;
ALTER TABLE registrations DROP COLUMN policy;
ALTER TABLE registrations DROP COLUMN confirmed_at;
DROP TABLE invitation_groups;
DROP TABLE invitations;

DROP INDEX outbox_by_announcement_id_state;
ALTER TABLE outbox DROP COLUMN announcement_id;
DROP TABLE announcement_batches;
DROP TABLE announcements;

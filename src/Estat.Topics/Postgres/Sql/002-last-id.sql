-- The id of the last message before next_offset; null: not known. A log that has another message there is not the one that was stored.
ALTER TABLE consumer_offsets ADD COLUMN last_id uuid;

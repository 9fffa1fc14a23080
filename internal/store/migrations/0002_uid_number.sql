-- For programs that want a POSIX account; 0: none.
ALTER TABLE person ADD COLUMN uid_number INTEGER NOT NULL DEFAULT 0;
CREATE UNIQUE INDEX person_uid_number ON person (uid_number) WHERE uid_number <> 0;

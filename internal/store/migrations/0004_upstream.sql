-- The id of the person's entry in the directory behind, for good; '': a local
-- account.
ALTER TABLE person ADD COLUMN upstream TEXT NOT NULL DEFAULT '';
CREATE UNIQUE INDEX person_upstream ON person (upstream) WHERE upstream <> '';

-- A password for one service, made by us. Only a keyed hash of it is here.
CREATE TABLE app_password (
	id      INTEGER PRIMARY KEY,
	person  INTEGER NOT NULL REFERENCES person (id) ON DELETE CASCADE,
	label   TEXT    NOT NULL,
	service TEXT    NOT NULL,
	network TEXT    NOT NULL, -- a prefix that it is good from; '': anywhere
	hash    BLOB    NOT NULL,
	key     INTEGER NOT NULL, -- of the ring, that hashed it
	created INTEGER NOT NULL,
	used    INTEGER NOT NULL  -- created, as long as it was not
);
CREATE INDEX app_password_person ON app_password (person);

-- The app password that a ticket was given for; 0: none. Few tickets are, so
-- the index costs the others nothing.
ALTER TABLE ticket ADD COLUMN app_password INTEGER NOT NULL DEFAULT 0;
CREATE INDEX ticket_app_password ON ticket (app_password) WHERE app_password <> 0;

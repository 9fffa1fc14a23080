-- Times are microseconds since 1970 UTC unless the column says otherwise.
-- Hot tables (burnt, ticket, event) have no secondary index: the writer fills
-- event_person in sorted slices instead. It leads to a person's tickets, too:
-- each was put beside an event that names it.

CREATE TABLE meta (
	name  TEXT PRIMARY KEY,
	value BLOB NOT NULL
) WITHOUT ROWID;

CREATE TABLE sequence (
	one    INTEGER PRIMARY KEY CHECK (one = 1),
	event  INTEGER NOT NULL, -- last event id given out, with or without a row
	ticket INTEGER NOT NULL, -- last ticket id given out
	filed  INTEGER NOT NULL  -- event_person is complete up to this event
);
INSERT INTO sequence VALUES (1, 0, 0, 0);

CREATE TABLE person (
	id          INTEGER PRIMARY KEY,
	name        TEXT    NOT NULL UNIQUE, -- canonical
	display     TEXT    NOT NULL,
	mail        TEXT    NOT NULL,
	lang        TEXT    NOT NULL,
	groups      TEXT    NOT NULL, -- one a line
	hash        TEXT    NOT NULL,
	previous    TEXT    NOT NULL, -- the hash before this one, to recognise a stale password
	disabled    INTEGER NOT NULL,
	must_change INTEGER NOT NULL,
	expires     INTEGER NOT NULL, -- of an initial password; 0: never
	generation  INTEGER NOT NULL,
	created     INTEGER NOT NULL
);

CREATE TABLE token (
	id        INTEGER PRIMARY KEY,
	person    INTEGER NOT NULL REFERENCES person (id) ON DELETE CASCADE,
	kind      TEXT    NOT NULL, -- totp, hotp
	label     TEXT    NOT NULL,
	digits    INTEGER NOT NULL,
	period    INTEGER NOT NULL, -- seconds
	algorithm TEXT    NOT NULL,
	sealed    BLOB    NOT NULL,
	version   INTEGER NOT NULL, -- of the seal
	created   INTEGER NOT NULL
);
CREATE INDEX token_person ON token (person);

-- The last step (TOTP) or counter (HOTP) that was accepted. Narrow and apart
-- from the sealed secret, so that burning a code touches few pages.
CREATE TABLE burnt (
	token  INTEGER PRIMARY KEY REFERENCES token (id) ON DELETE CASCADE,
	step   INTEGER NOT NULL,
	drift  INTEGER NOT NULL, -- steps that the device was ahead of us
	ticket INTEGER NOT NULL  -- that this step yielded; 0: none
);

-- What recurs in the book, once: sign-ins are many, their circumstances few.
-- A row of the book names its scene by number, which keeps it short.
CREATE TABLE scene (
	number  INTEGER PRIMARY KEY,
	door    TEXT NOT NULL,
	client  TEXT NOT NULL,
	service TEXT NOT NULL,
	how     TEXT NOT NULL,
	zone    TEXT NOT NULL,
	rule    TEXT NOT NULL,
	factors TEXT NOT NULL,
	outcome TEXT NOT NULL,
	reason  TEXT NOT NULL,
	UNIQUE (door, client, service, how, zone, rule, factors, outcome, reason)
);

CREATE TABLE ticket (
	id         INTEGER PRIMARY KEY,
	hash       BLOB    NOT NULL, -- SHA-256 of the secret
	person     INTEGER NOT NULL,
	generation INTEGER NOT NULL,
	parent     INTEGER NOT NULL,
	scene      INTEGER NOT NULL, -- door, client, service, zone and rule
	shown      TEXT    NOT NULL, -- factor=time pairs
	created    INTEGER NOT NULL,
	until      INTEGER NOT NULL,
	idle       INTEGER NOT NULL, -- microseconds; 0: as long as until
	used       INTEGER NOT NULL,
	ended      INTEGER NOT NULL, -- 0: lives
	repeat     BLOB    NOT NULL, -- what an equal attempt must hash to; empty: no repeat
	answers    INTEGER NOT NULL
);

CREATE TABLE event (
	id     INTEGER PRIMARY KEY,
	at     INTEGER NOT NULL,
	scene  INTEGER NOT NULL,
	typed  TEXT,             -- masked when nobody of that name is known; NULL: as name
	person INTEGER NOT NULL,
	name   TEXT    NOT NULL,
	source TEXT    NOT NULL,
	detail TEXT    NOT NULL,
	ticket INTEGER NOT NULL,
	took   INTEGER NOT NULL, -- microseconds
	count  INTEGER NOT NULL, -- 1, or how many refusals this row of a flood stands for
	last   INTEGER NOT NULL  -- id of the last of them
);

CREATE VIEW issued AS SELECT ticket.*, door, client, service, zone, rule FROM ticket JOIN scene ON number = scene;

CREATE VIEW booked AS SELECT id, at, door, client, service, coalesce(typed, name) AS typed,
	person, name, source, how, zone, rule, factors, outcome, reason, detail, ticket, took, count, last
	FROM event JOIN scene ON number = scene;

CREATE TABLE event_person (
	person INTEGER NOT NULL,
	event  INTEGER NOT NULL,
	PRIMARY KEY (person, event)
) WITHOUT ROWID;

-- Where a person succeeded: an address or a device that strangers can't delay.
CREATE TABLE known (
	person INTEGER NOT NULL,
	source TEXT    NOT NULL,
	at     INTEGER NOT NULL,
	PRIMARY KEY (person, source)
) WITHOUT ROWID;

CREATE TABLE counter (
	name  TEXT PRIMARY KEY,
	count INTEGER NOT NULL,
	since INTEGER NOT NULL,
	last  INTEGER NOT NULL,
	data  BLOB    NOT NULL
) WITHOUT ROWID;

-- A value by which a key of the ring is recognised, so that a wrong ring is
-- found at start and not at the first sign-in.
CREATE TABLE key_check (
	id    INTEGER PRIMARY KEY,
	value BLOB NOT NULL
);

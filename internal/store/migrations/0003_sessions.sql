-- A connection as its NAS tells it by accounting (RFC 2866): one row for each
-- Acct-Session-Id of each NAS. What the book needs of it is in the book.
CREATE TABLE session (
	id       INTEGER PRIMARY KEY,
	client   TEXT    NOT NULL,
	nas      TEXT    NOT NULL, -- which of the machines that share the client's address
	name     TEXT    NOT NULL, -- Acct-Session-Id
	user     TEXT    NOT NULL, -- as the NAS has it
	person   INTEGER NOT NULL, -- 0: nobody was found
	ticket   INTEGER NOT NULL, -- 0: none was found
	station  TEXT    NOT NULL, -- where the person is, as the NAS has it
	address4 TEXT    NOT NULL, -- in the tunnel; "": not told
	address6 TEXT    NOT NULL, -- in the tunnel: 32 hexadecimal digits, / and the three of the length; "": not told
	named    INTEGER NOT NULL, -- when a record last told the addresses
	ousted   INTEGER NOT NULL, -- another session was seen on one of them: it says nothing any more
	started  INTEGER NOT NULL,
	event    INTEGER NOT NULL, -- time of the latest record, by the NAS
	seen     INTEGER NOT NULL, -- when that came
	interval INTEGER NOT NULL, -- microseconds between its Interim-Updates, as seen; 0: none was
	seconds  INTEGER NOT NULL, -- Acct-Session-Time, in seconds
	input    INTEGER NOT NULL, -- octets from the person
	output   INTEGER NOT NULL, -- octets to the person
	stopped  INTEGER NOT NULL, -- 0: lives
	cause    TEXT    NOT NULL, -- Acct-Terminate-Cause, or why else it is over
	groups   TEXT    NOT NULL, -- that the NAS was told last, one a line
	ordered  INTEGER NOT NULL, -- when the NAS was last told to end or change it; 0: never
	told     TEXT    NOT NULL, -- what is open of that: change, end; ended: nothing will be, ever; "": nothing is
	obeyed   TEXT    NOT NULL, -- what the NAS answered
	tries    INTEGER NOT NULL, -- orders one after the other that were not done
	leased   INTEGER NOT NULL, -- of the address that its ticket was given: 0: there is none, 1: not told yet, 2: kept, 3: on another, or on another's
	UNIQUE (client, nas, name)
);
CREATE INDEX session_address4 ON session (address4) WHERE address4 <> '' AND stopped = 0;
CREATE INDEX session_address6 ON session (address6) WHERE address6 <> '' AND stopped = 0;
CREATE INDEX session_nameless ON session (client, leased, started) WHERE address4 = '' AND address6 = '' AND stopped = 0;
CREATE INDEX session_leased ON session (client, leased) WHERE leased > 1 AND stopped = 0;
CREATE INDEX session_ticket ON session (ticket) WHERE ticket <> 0 AND stopped = 0;
CREATE INDEX session_stopped ON session (stopped, client, nas); -- those that live come first

-- To end what rests on a ticket. Few tickets rest on another, so the index
-- costs the others nothing.
CREATE INDEX ticket_parent ON ticket (parent) WHERE parent <> 0;

-- A tunnel address that we gave away in an Access-Accept. A row outlives its
-- lease: it tells which address was free the longest.
CREATE TABLE lease (
	address BLOB    PRIMARY KEY, -- 4 or 16 octets
	client  TEXT    NOT NULL,
	ticket  INTEGER NOT NULL, -- 0: a session had the address before it was given to anybody
	until   INTEGER NOT NULL,
	person  INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX lease_ticket ON lease (ticket);
CREATE INDEX lease_until ON lease (until);
CREATE INDEX lease_person ON lease (person, client) WHERE person <> 0;

-- What may be shown once: the nonce of a State, a word. Kept until it would be
-- refused for its age.
CREATE TABLE spent (
	key   BLOB    PRIMARY KEY,
	until INTEGER NOT NULL
) WITHOUT ROWID;

-- The word that somebody types in place of password and code: one a person.
CREATE TABLE word (
	person  INTEGER PRIMARY KEY,
	hash    BLOB    NOT NULL,
	service TEXT    NOT NULL, -- that it opens
	ticket  INTEGER NOT NULL, -- that it lends
	until   INTEGER NOT NULL
);

-- What is known of a client's ways, by its name.
CREATE TABLE readiness (
	client TEXT PRIMARY KEY,
	data   TEXT NOT NULL -- JSON
) WITHOUT ROWID;

-- The generation of the last change that was not of groups alone.
ALTER TABLE person ADD COLUMN changed INTEGER NOT NULL DEFAULT 0;
UPDATE person SET changed = generation;

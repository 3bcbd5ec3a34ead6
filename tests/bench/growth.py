"""A database as it is after years: accounts and sessions by the million, made by SQL."""

ACCOUNTS = """
SET session_replication_role = replica; -- the rows fit each other: no foreign key is looked up
SET synchronous_commit = off;
INSERT INTO subject (id, kind, origin, state, account_key, created)
 SELECT decode(md5('s' || i), 'hex'), 'person', 'local', 'active', decode(md5('k' || i), 'hex'), 1
 FROM generate_series({first}, {last}) i;
INSERT INTO login_name (lookup, subject, created)
 SELECT sha256(convert_to(i::text, 'UTF8')), decode(md5('s' || i), 'hex'), 1
 FROM generate_series({first}, {last}) i;
INSERT INTO credential (id, subject, kind, level, secret, created)
 SELECT decode(md5('c' || i), 'hex'), decode(md5('s' || i), 'hex'), 'password', 2,
 decode(repeat(md5('p' || i), 5), 'hex'), 1 FROM generate_series({first}, {last}) i;
VACUUM ANALYZE subject, login_name, credential;
"""

SESSIONS = """
SET session_replication_role = replica;
SET synchronous_commit = off;
INSERT INTO session (sid, id_hash, acting, sso_group, created, last_used, expires)
 SELECT md5('x' || i), sha256(convert_to('x' || i, 'UTF8')), decode(md5('s' || (i % 1000 + 1)), 'hex'),
 'portalverbund', t, t, t + 14400
 FROM generate_series({first}, {last}) i, (SELECT extract(epoch FROM now())::bigint AS t) AS n;
INSERT INTO session_proof (sid, at, level, method)
 SELECT md5('x' || i), extract(epoch FROM now())::bigint, 2, 'password'
 FROM generate_series({first}, {last}) i;
INSERT INTO session_participant (sid, party, dialect, name_id, session_index, at)
 SELECT md5('x' || i), 'https://portal.example/es256', 'saml', md5('n' || i), md5('i' || i), 1
 FROM generate_series({first}, {last}) i;
VACUUM ANALYZE session, session_proof, session_participant;
"""

LOOK_UP = """\\set i random(1, {accounts})
SELECT s.id, s.state, s.account_key FROM login_name l JOIN subject s ON s.id = l.subject
 WHERE l.lookup = sha256(convert_to((:i)::text, 'UTF8'));
"""

COMMIT = """INSERT INTO bench_commit (v) VALUES (1);
"""


def add_accounts(place, first, last):
    place.sql(ACCOUNTS.format(first=first, last=last))


def add_sessions(place, first, last):
    place.sql(SESSIONS.format(first=first, last=last))


def look_ups(place, accounts, seconds):
    return place.pgbench(LOOK_UP.format(accounts=accounts), 4, seconds)


def commits(place, connections, seconds):
    """Smallest durable transactions per second."""
    place.sql("CREATE TABLE IF NOT EXISTS bench_commit (v bigint)")
    rate = place.pgbench(COMMIT, connections, seconds)
    place.sql("DROP TABLE bench_commit")
    return rate

create schema if not exists auth;

-- A key's secret is 256 random bits, so a plain SHA-256 of it cannot be searched: slow hashes protect guessable passwords,
-- and would cost every request their tenth of a second here.
create table auth.api_keys
(
    key_id       text primary key check (key_id ~ '^[0-9a-f]{16}$'),
    name         text        not null check (length(name) between 1 and 100),
    kind         text        not null check (kind in ('server', 'browser')),
    secret_hash  bytea       not null check (octet_length(secret_hash) = 32),
    scopes       text[]      not null check (cardinality(scopes) > 0),
    origins      text[]      not null,
    created_at   timestamptz not null,
    created_by   text        not null,
    last_used_at timestamptz null,
    revoked_at   timestamptz null,
    revoked_by   text        null,
    -- A browser key is readable by everybody: it may only write events, and only from the pages it was made for.
    check (kind = 'server' or (scopes = array ['events:write'] and cardinality(origins) > 0)),
    check (kind = 'browser' or cardinality(origins) = 0)
);

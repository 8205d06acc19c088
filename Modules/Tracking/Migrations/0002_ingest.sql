-- Event types that admins registered; every change is a version of its own.
create table tracking.custom_schemas (
    type       text        not null check (type like 'custom\_%'),
    version    smallint    not null check (version > 0),
    schema     text        not null,
    created_at timestamptz not null,
    created_by text        not null,
    primary key (type, version)
);

-- Events that were not taken, with the reason, until they are replayed or too old. body is the event's JSON as it was sent, personal
-- data masked; null when its sender did not agree to more than counting. trusted_as says what the sender had proved.
create table tracking.rejected_events (
    id          bigint      not null generated always as identity primary key,
    received_at timestamptz not null,
    event_id    text        null,
    type        text        null,
    field       text        not null,
    reason      text        not null,
    body        text        null,
    trusted_as  text        null,
    bot         boolean     not null,
    attempts    integer     not null default 1
);
create index rejected_events_type on tracking.rejected_events (type, id);

-- One key a day for the hashes of addresses; a destroyed key makes its day's hashes meaningless.
create table tracking.address_keys (
    day date  not null primary key,
    key bytea not null check (octet_length(key) = 32)
);

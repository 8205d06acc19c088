-- Events that left the log for compressed files; a row is the file's manifest. What it says is true of the file in every state but
-- exporting, where the file is not believed yet:
-- exporting > verified (read back, still in the log) > deleting > done (only in the file) > loading > loaded (in the log again) > deleting.
create table events.archives (
    id              uuid        not null primary key,
    day             date        not null,
    part            integer     not null,
    state           text        not null check (state in ('exporting', 'verified', 'deleting', 'done', 'loading', 'loaded')),
    file            text        not null unique,
    types           varchar[]   not null default '{}',
    schema_versions jsonb       not null default '{}',
    events          bigint      not null default 0,
    first_position  bigint      not null default 0,
    last_position   bigint      not null default 0,
    first_known_at  timestamptz null,
    last_known_at   timestamptz null,
    bytes           bigint      not null default 0,
    sha256          text        not null default '',
    changed_at      timestamptz not null,
    unique (day, part)
);

-- Files that are to be deleted when they are found: written before their row names them, or named no more.
create table events.doomed_files (
    file text not null primary key
);

-- Ids of events that left the log, so that one that comes again is still a repeat; kept for a set time.
create table events.archived_ids (
    id         uuid not null primary key,
    archive_id uuid not null
);

-- Known-at times rise with the place on the disk, so a few bytes per thousand rows find a day.
create index mt_events_known_at on events.mt_events using brin (timestamp);

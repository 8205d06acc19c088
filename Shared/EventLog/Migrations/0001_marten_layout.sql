-- The table layout of Marten 9 with string stream identity, so that Marten can open this database.
-- Columns of our own: occurred_at (event time; "timestamp" is the known-at time) and schema_version.
create schema if not exists events;

create table events.mt_streams (
    id          varchar     not null primary key,
    type        varchar     null,
    version     bigint      null,
    timestamp   timestamptz not null default now(),
    created     timestamptz not null default now(),
    tenant_id   varchar     default '*DEFAULT*',
    is_archived boolean     default false
);

create sequence events.mt_events_sequence;

create table events.mt_events (
    seq_id         bigint       not null primary key,
    id             uuid         not null,
    stream_id      varchar      not null references events.mt_streams (id) on delete cascade,
    version        bigint       not null,
    data           jsonb        not null,
    bdata          bytea        null,
    type           varchar(500) not null,
    timestamp      timestamptz  not null default now(),
    tenant_id      varchar      default '*DEFAULT*',
    mt_dotnet_type varchar      null,
    is_archived    boolean      default false,
    occurred_at    timestamptz  not null default now(),
    schema_version smallint     not null default 1
);
alter sequence events.mt_events_sequence owned by events.mt_events.seq_id;
create unique index pk_mt_events_stream_and_version on events.mt_events (stream_id, version);
create unique index idx_mt_events_event_id on events.mt_events (id);
create index idx_mt_events_event_type_seq_id on events.mt_events (type, seq_id);

create table events.mt_event_progression (
    name         varchar     not null primary key,
    last_seq_id  bigint      null,
    last_updated timestamptz default transaction_timestamp()
);

-- Events that a subscription could not handle: kept with the reason until they are replayed.
create table events.parked_events (
    subscription text        not null,
    seq_id       bigint      not null,
    reason       text        not null,
    attempts     integer     not null,
    parked_at    timestamptz not null,
    primary key (subscription, seq_id)
);

-- Models of tables that users brought; those of the house are code.
create table ml.models (
    name       text        not null primary key,
    kind       text        not null check (kind = 'table'),
    definition jsonb       not null,
    owner      text        not null,
    notes      text        not null default '',
    created_at timestamptz not null,
    changed_at timestamptz not null
);

-- Trainings asked for, under way and over. Whoever works at one renews its lease; a lease that ran out means that its host died, and another one takes it.
create table ml.training_jobs (
    id               uuid        not null primary key,
    model            text        not null,
    state            text        not null check (state in ('queued', 'running', 'succeeded', 'failed', 'cancelled')),
    priority         integer     not null default 0,
    reason           text        not null,
    requested_by     text        not null,
    reproduces       uuid        null,
    requested_at     timestamptz not null,
    not_before       timestamptz not null,
    started_at       timestamptz null,
    finished_at      timestamptz null,
    attempt          integer     not null default 0,
    host             text        null,
    lease_until      timestamptz null,
    cancel_requested boolean     not null default false,
    fraction         float8      not null default 0,
    step             text        not null default '',
    trials           jsonb       null,
    run_id           uuid        null,
    version          integer     null,
    published        boolean     null,
    message          text        null,
    error            text        null
);
create index training_jobs_waiting on ml.training_jobs (priority desc, requested_at) where state = 'queued';
create index training_jobs_by_model on ml.training_jobs (model, requested_at desc);
create unique index training_jobs_one_at_a_time on ml.training_jobs (model) where state = 'running';

-- What every training did and measured.
create table ml.runs (
    id          uuid        not null primary key,
    model       text        not null,
    job_id      uuid        null,
    version     integer     null,
    reason      text        not null,
    parameters  jsonb       not null,
    data        jsonb       not null,
    environment jsonb       not null,
    recipe      jsonb       null,
    evaluation  jsonb       not null,
    gates       jsonb       not null,
    published   boolean     not null,
    decision    text        not null,
    sha256      text        null,
    loss        text        null,
    case_keys   bigint[]    null,
    case_losses float8[]    null,
    reproduces  uuid        null,
    identical   boolean     null,
    note        text        not null default '',
    started_at  timestamptz not null,
    finished_at timestamptz not null
);
create index runs_by_model on ml.runs (model, started_at desc);

create table ml.run_metrics (
    run_id   uuid    not null references ml.runs (id) on delete cascade,
    name     text    not null,
    step     integer not null,
    value    float8  not null,
    baseline float8  null,
    low      float8  null,
    high     float8  null,
    primary key (run_id, name, step)
);

alter table ml.model_versions
    add gates jsonb not null default '[]',
    add signature jsonb null,
    add parent_version integer null,
    add run_id uuid null,
    add tags text[] not null default '{}',
    add notes text not null default '';

create table ml.version_approvals (
    model   text        not null,
    version integer     not null,
    by      text        not null,
    at      timestamptz not null,
    note    text        not null,
    primary key (model, version, by),
    foreign key (model, version) references ml.model_versions (model, version) on delete cascade
);

-- Which version answered from when until when; the row without an end is the one that serves.
create table ml.serving_history (
    id           bigint      not null generated always as identity primary key,
    model        text        not null,
    version      integer     not null,
    served_from  timestamptz not null,
    served_until timestamptz null,
    by           text        not null,
    reason       text        not null
);
create index serving_history_by_model on ml.serving_history (model, served_from desc);
create unique index serving_history_now on ml.serving_history (model) where served_until is null;
insert into ml.serving_history (model, version, served_from, by, reason) select model, version, published_at, 'house', 'Published before its history was kept.' from ml.serving;

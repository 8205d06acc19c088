-- Which version answered which request with its feature vector: one row a row that was asked about.
create table ml.predictions (
    request_id    text        not null,
    row           integer     not null,
    at            timestamptz not null,
    model         text        not null,
    version       integer     null,
    source        text        not null,
    rollout_id    uuid        null,
    arm           text        null,
    user_key      text        null,
    entity_id     text        null,
    inputs        jsonb       not null,
    value         float8      null,
    low           float8      null,
    high          float8      null,
    label         text        null,
    probabilities jsonb       null,
    primary key (request_id, row)
);
create index predictions_by_version on ml.predictions (model, version, at);
create index predictions_by_user on ml.predictions (user_key) where user_key is not null;
create index predictions_by_time on ml.predictions (at);

-- What really came of a row that was asked about.
create table ml.outcomes (
    request_id text        not null,
    row        integer     not null,
    value      float8      null,
    label      text        null,
    at         timestamptz not null,
    known_at   timestamptz not null,
    primary key (request_id, row)
);

-- Which events of the log say that a model's positive class came true, and how long to wait for them.
create table ml.goals (
    model          text    not null primary key,
    event_types    text[]  not null,
    window_minutes integer not null
);

-- Events that may be goals, by person.
create table ml.goal_events (
    position     bigint      not null primary key,
    type         text        not null,
    anonymous_id text        null,
    user_id      text        null,
    item_id      text        null,
    at           timestamptz not null
);
create index goal_events_by_visitor on ml.goal_events (anonymous_id, at) where anonymous_id is not null;
create index goal_events_by_user on ml.goal_events (user_id, at) where user_id is not null;
create index goal_events_by_time on ml.goal_events (at);

create function ml.add_counts(a integer[], b integer[]) returns integer[] language sql immutable as
$$ select array_agg(coalesce(x, 0) + coalesce(y, 0) order by i) from unnest(a, b) with ordinality as pair (x, y, i) $$;

create aggregate ml.sum_counts(integer[]) (sfunc = ml.add_counts, stype = integer[], initcond = '{}');

-- What a version did in a minute; all hosts add to one row. Version 0 stands for answers without a model.
create table ml.serving_minutes (
    model      text        not null,
    version    integer     not null,
    rollout_id uuid        not null,
    arm        text        not null,
    minute     timestamptz not null,
    requests   bigint      not null,
    rows       bigint      not null,
    errors     bigint      not null,
    cache_hits bigint      not null,
    latency    integer[]   not null,
    primary key (model, version, rollout_id, arm, minute)
);
create index serving_minutes_by_time on ml.serving_minutes (minute);

create table ml.rollouts (
    id          uuid        not null primary key,
    model       text        not null,
    kind        text        not null check (kind in ('version', 'experiment')),
    stage       text        not null check (stage in ('shadow', 'ab', 'canary', 'full', 'experiment')),
    status      text        not null check (status in ('running', 'promoted', 'rolled_back', 'stopped')),
    spec        jsonb       not null,
    started_by  text        not null,
    started_at  timestamptz not null,
    stage_since timestamptz not null,
    ended_at    timestamptz null,
    reason      text        null,
    p_value     float8      not null default 1
);
create unique index rollouts_one_at_a_time on ml.rollouts (model) where status = 'running';
create index rollouts_by_model on ml.rollouts (model, started_at);

-- Every step of a rollout and every change of the serving version by hand or by a guardrail, with its reason.
create table ml.rollout_steps (
    id         bigint      generated always as identity primary key,
    model      text        not null,
    rollout_id uuid        null references ml.rollouts (id),
    at         timestamptz not null,
    step       text        not null,
    version    integer     null,
    by         text        not null,
    reason     text        not null,
    evidence   jsonb       not null
);
create index rollout_steps_by_model on ml.rollout_steps (model, at);

-- Who met which arm first; when somebody came to meet another one, nothing later counts.
create table ml.exposures (
    rollout_id uuid        not null references ml.rollouts (id),
    user_key   text        not null,
    arm        text        not null,
    at         timestamptz not null,
    crossed_at timestamptz null,
    primary key (rollout_id, user_key)
);
create index exposures_by_user on ml.exposures (user_key);

create table ml.shadow_minutes (
    rollout_id uuid        not null references ml.rollouts (id),
    minute     timestamptz not null,
    rows       bigint      not null,
    agreed     bigint      not null,
    difference float8      not null,
    absolute   float8      not null,
    relative   float8      not null,
    worst      float8      not null,
    primary key (rollout_id, minute)
);

create table ml.alert_rules (
    id          uuid    not null primary key,
    name        text    not null,
    model       text    null,
    metric      text    not null,
    threshold   float8  not null,
    above       boolean not null,
    for_seconds integer not null,
    channels    text[]  not null,
    enabled     boolean not null
);

-- A breach, from when it was first seen; raised when it has lasted as long as its rule asks.
create table ml.alerts (
    id              uuid        not null primary key,
    rule            text        not null,
    model           text        not null,
    metric          text        not null,
    since           timestamptz not null,
    raised_at       timestamptz null,
    last_seen_at    timestamptz not null,
    resolved_at     timestamptz null,
    observed        float8      not null,
    threshold       float8      not null,
    message         text        not null,
    silenced        boolean     not null default false,
    acknowledged_at timestamptz null,
    acknowledged_by text        null,
    deliveries      jsonb       not null default '[]'
);
create unique index alerts_one_open on ml.alerts (rule, model) where resolved_at is null;
create index alerts_by_time on ml.alerts (since);

create table ml.alert_silences (
    id     uuid        not null primary key,
    rule   text        null,
    model  text        null,
    until  timestamptz not null,
    by     text        not null,
    reason text        not null
);

-- A file to be answered row by row: cut into parts, each of them done on its own by whichever host takes it.
create table ml.batch_jobs (
    id          uuid        not null primary key,
    model       text        not null,
    version     integer     not null,
    format      text        not null check (format in ('csv', 'ndjson')),
    header      jsonb       not null,
    rows        bigint      not null,
    failed_rows bigint      not null default 0,
    state       text        not null check (state in ('receiving', 'queued', 'done', 'failed', 'cancelled')),
    error       text        null,
    created_by  text        not null,
    created_at  timestamptz not null,
    finished_at timestamptz null
);
create table ml.batch_parts (
    job_id uuid    not null references ml.batch_jobs (id) on delete cascade,
    part   integer not null,
    rows   integer not null,
    input  bytea   not null,
    output bytea   null,
    primary key (job_id, part)
);
create index batch_parts_to_do on ml.batch_parts (job_id, part) where output is null;

create table ml.async_predictions (
    id             uuid        not null primary key,
    model          text        not null,
    body           jsonb       not null,
    callback_url   text        null,
    state          text        not null check (state in ('queued', 'done', 'failed')),
    status         integer     null,
    answer         jsonb       null,
    attempts       integer     not null default 0,
    callback_state text        not null check (callback_state in ('none', 'waiting', 'delivered', 'failed')),
    next_at        timestamptz not null,
    created_at     timestamptz not null,
    finished_at    timestamptz null
);
create index async_predictions_to_do on ml.async_predictions (next_at) where state = 'queued' or callback_state = 'waiting';

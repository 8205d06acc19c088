-- What each field of each kind of record held in an hour (grain 1) or a day (grain 24) of known-at time, in UTC. Field '*' is the record as
-- a whole, its shape the names of properties. Rows are bounded by types x fields x hours kept, whatever the number of events.
create table tracking.quality_profiles (
    grain           smallint         not null check (grain in (1, 24)),
    starts_at       timestamptz      not null,
    type            text             not null,
    field           text             not null,
    late            boolean          not null,
    rows            bigint           not null,
    missing         bigint           not null,
    mistyped        bigint           not null,
    out_of_range    bigint           not null,
    out_of_set      bigint           not null,
    numbers         bigint           not null,
    lowest          double precision not null,
    highest         double precision not null,
    total           double precision not null,
    shape           jsonb            not null,
    sketch          bytea            null,
    first_position  bigint           not null,
    last_position   bigint           not null,
    last_known      timestamptz      not null,
    primary key (grain, starts_at, type, field, late)
);
create index quality_profiles_volume on tracking.quality_profiles (starts_at) where grain = 1 and field = '*';

-- Expectations that admins added, or put in the place of one that follows from a schema.
create table tracking.quality_expectations (
    name       text        not null primary key,
    type       text        not null,
    field      text        not null,
    kind       text        not null,
    body       jsonb       not null,
    changed_at timestamptz not null,
    changed_by text        not null,
    unique (type, field, kind)
);

-- The last judgement of each expectation in each hour.
create table tracking.quality_results (
    hour        timestamptz      not null,
    expectation text             not null,
    type        text             not null,
    field       text             not null,
    kind        text             not null,
    judged_at   timestamptz      not null,
    passed      boolean          not null,
    rows        bigint           not null,
    observed    double precision not null,
    expected    double precision not null,
    detail      text             null,
    primary key (hour, expectation)
);

-- Breaches, each once from its beginning to its end. positions are failing rows in the log, whose bodies are read there when they are asked for.
create table tracking.quality_alerts (
    id              uuid             not null primary key,
    expectation     text             not null,
    type            text             not null,
    field           text             not null,
    kind            text             not null,
    severity        text             not null,
    since           timestamptz      not null,
    raised_at       timestamptz      not null,
    last_seen_at    timestamptz      not null,
    resolved_at     timestamptz      null,
    passes          integer          not null default 0,
    observed        double precision not null,
    expected        double precision not null,
    message         text             not null,
    positions       bigint[]         not null,
    acknowledged_at timestamptz      null,
    acknowledged_by text             null
);
create unique index quality_alerts_open on tracking.quality_alerts (expectation) where resolved_at is null;
create index quality_alerts_raised on tracking.quality_alerts (raised_at);

create schema if not exists ml;

-- Every version that was ever trained, published or not: what it is, what it learned from and what it is worth.
create table ml.model_versions (
    model      text        not null,
    version    integer     not null,
    stage      text        not null check (stage in ('candidate', 'serving', 'retired', 'rejected')),
    artefact   bytea       not null,
    sha256     text        not null,
    metrics    jsonb       not null,
    parameters jsonb       not null,
    data       jsonb       not null,
    data_until timestamptz not null,
    decision   text        not null,
    reason     text        not null,
    rows       integer     not null,
    seconds    float8      not null,
    trained_at timestamptz not null,
    primary key (model, version)
);
alter table ml.model_versions alter column artefact set storage external;

-- Which version answers. A publication writes this row last.
create table ml.serving (
    model            text        not null primary key,
    version          integer     not null,
    previous_version integer     null,
    published_at     timestamptz not null,
    foreign key (model, version) references ml.model_versions (model, version),
    foreign key (model, previous_version) references ml.model_versions (model, version)
);

-- When a training was last carried through, whatever came of it; what the weekly job asks.
create table ml.training_runs (
    model       text        not null,
    finished_at timestamptz not null,
    version     integer     not null,
    published   boolean     not null,
    decision    text        not null,
    primary key (model, finished_at)
);

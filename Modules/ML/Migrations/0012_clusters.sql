-- Everybody's learned kind at the last count, with her place in the learned space: standardised tastes, one number a dimension.
create table ml.cluster_members (
    person_id     text        not null primary key,
    model_version integer     not null,
    cluster       integer     not null,
    fit           float8      not null,
    place         float8[]    not null,
    counted_at    timestamptz not null
);
create index cluster_members_cluster on ml.cluster_members (model_version, cluster, person_id);

-- What each count found. follows is the kind of the count before from which most of those now here came; of the same version it is the kind itself.
create table ml.cluster_sizes (
    day           date    not null,
    model_version integer not null,
    cluster       integer not null,
    name          text    not null,
    members       bigint  not null,
    joined        bigint  not null,
    follows       integer null,
    primary key (day, cluster)
);

-- How the shares of the kinds moved: population stability index against the people learned from and against the count before, which is of the same
-- version; of another version, how far the two agree about the people in both (adjusted Rand index).
create table ml.cluster_counts (
    day           date             not null primary key,
    model_version integer          not null,
    people        bigint           not null,
    from_training double precision not null,
    from_before   double precision null,
    agreement     double precision null,
    counted_at    timestamptz      not null
);

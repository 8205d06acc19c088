-- Everybody's main segment at the last count, and how many were in each on each day.
create table features.person_segments (
    person_id  text        not null primary key,
    segment    text        not null,
    since      timestamptz not null,
    counted_at timestamptz not null
);
create index person_segments_segment on features.person_segments (segment, person_id);

create table features.segment_sizes (
    day     date   not null,
    segment text   not null,
    members bigint not null,
    joined  bigint not null,
    primary key (day, segment)
);

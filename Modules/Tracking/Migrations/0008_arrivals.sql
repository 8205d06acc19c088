-- Rows that came while they were new, by the hour in which they came: what is not there was brought in later, by a simulation or an import. Not a
-- projection: when something was read can be seen only then, so a rebuild leaves it as it is.
create table tracking.quality_arrivals (
    type text        not null,
    hour timestamptz not null,
    rows bigint      not null,
    primary key (type, hour)
);

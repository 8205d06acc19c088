-- What operators pin, boost and block in recommendations. A rule is never changed or deleted: it is ended.
create table ml.recommendation_rules (
    id         uuid        not null primary key,
    kind       text        not null,
    action     text        not null check (action in ('pin', 'boost', 'block')),
    target     text        not null,
    value      text        not null,
    strength   float8      not null,
    place      integer     not null,
    page       text        null,
    starts_at  timestamptz not null,
    ends_at    timestamptz null,
    reason     text        not null,
    created_by text        not null,
    created_at timestamptz not null,
    ended_by   text        null,
    ended_at   timestamptz null
);
create index recommendation_rules_open on ml.recommendation_rules (created_at) where ended_at is null;

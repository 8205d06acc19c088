-- Which anonymous visitor turned out to be which user: a projection of person_linked and person_split, ended links kept as the audit.
create table tracking.identity_links (
    id           uuid        not null primary key,
    anonymous_id text        not null,
    user_id      text        not null,
    linked_at    timestamptz not null,
    linked_by    text        not null,
    split_at     timestamptz null,
    split_by     text        null,
    split_reason text        null
);
create unique index identity_links_current on tracking.identity_links (anonymous_id) where split_at is null;
create index identity_links_user on tracking.identity_links (user_id);

-- Everybody who was ever signed in.
create table tracking.users (
    user_id  text        not null primary key,
    first_at timestamptz not null
);

-- Visits: an actor's events without 30 minutes of silence between them, at most 24 hours. The actor is the stream of its events.
create table tracking.sessions (
    id         uuid        not null primary key,
    actor      text        not null,
    started_at timestamptz not null,
    last_at    timestamptz not null,
    events     integer     not null,
    pages      integer     not null,
    actions    integer     not null,
    items      integer     not null,
    entry_page text        null,
    exit_page  text        null,
    referrer   text        null,
    utm        jsonb       null,
    device     text        null,
    is_bot     boolean     not null
);
create unique index sessions_actor on tracking.sessions (actor, started_at);
create index sessions_started on tracking.sessions (started_at);

-- Which visitor was which user, and from when on that could be known; a row is one link, made and perhaps split, whichever of the two the log told first.
-- Filled from the log: where facts were kept before, features.facts is to be rebuilt once, which also takes out what programs did.
create table features.person_links (
    id              uuid        not null primary key,
    anonymous_id    text        not null,
    user_id         text        not null,
    linked_from     timestamptz null,
    linked_position bigint      null,
    split_from      timestamptz null,
    split_position  bigint      null
);
create index person_links_visitor on features.person_links (anonymous_id);
create index person_links_user on features.person_links (user_id);

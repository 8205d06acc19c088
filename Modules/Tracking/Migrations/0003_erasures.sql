-- Receipts of erasures: they prove that one was done to whoever knows the id, and name nobody to anybody else.
create table tracking.erasures (
    id           uuid        not null primary key,
    erased_at    timestamptz not null,
    requested_by text        not null,
    salt         text        not null,
    hash         text        not null,
    own_events   integer     not null,
    mentions     integer     not null,
    rejected     integer     not null
);

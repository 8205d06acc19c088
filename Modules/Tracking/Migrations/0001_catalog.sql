-- The catalogue as it now is; its history is the item streams of the event log.
create schema if not exists tracking;

create table tracking.items (
    id         text collate "C" not null primary key,
    kind       text        not null,
    title      text        not null,
    price      numeric     null,
    currency   text        null,
    attributes jsonb       not null,
    description text       null,
    tags       jsonb       not null,
    place      text        null,
    seller     text        null,
    images     jsonb       not null,
    status     text        not null check (status in ('live', 'sold', 'withdrawn')),
    listed_at  timestamptz not null,
    updated_at timestamptz not null,
    check ((price is null) = (currency is null))
);
create index items_live on tracking.items (kind, id) where status = 'live';

-- Files of listings that were imported. The same content with the same columns is one import, whenever and however often it comes.
create table tracking.imports (
    id          uuid        not null primary key,
    source      text        not null,
    file        text        not null,
    content     text        not null,
    columns     text        not null,
    encoding    text        not null,
    started_at  timestamptz not null,
    finished_at timestamptz null,
    rows_read   bigint      not null default 0,
    unique (source, content, columns)
);

-- Snapshots of a source that took effect, each in one transaction with its items, events and set-aside rows.
create table tracking.imported_snapshots (
    source    text        not null,
    snapshot  timestamptz not null,
    import_id uuid        not null references tracking.imports (id),
    rows      integer     not null,
    kept      integer     not null,
    listed    integer     not null,
    updated   integer     not null,
    repriced  integer     not null,
    unchanged integer     not null,
    withdrawn integer     not null,
    primary key (source, snapshot)
);

-- Which item an ad without an id of its own became: the normalised description and the how-manieth car of that description it is.
create table tracking.imported_ads (
    source  text    not null,
    ad_key  text    not null,
    number  integer not null,
    item_id text    collate "C" not null references tracking.items (id),
    primary key (source, ad_key, number)
);
create index imported_ads_item on tracking.imported_ads (item_id);

-- Rows that did not become part of the catalogue, whole, with the reason.
create table tracking.set_aside_rows (
    import_id  uuid    not null references tracking.imports (id),
    row_number bigint  not null,
    reason     text    not null,
    field      text    null,
    raw        jsonb   not null,
    primary key (import_id, row_number)
);
create index set_aside_rows_reason on tracking.set_aside_rows (import_id, reason);

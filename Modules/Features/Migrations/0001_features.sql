create schema if not exists features;

-- What people did with items, one row an event. weight is the event type's weight when the row was written: a change of weights needs a rebuild.
create table features.interactions (
    position    bigint      not null primary key,
    person_id   text        not null,
    item_id     text        not null,
    type        text        not null,
    weight      real        not null,
    occurred_at timestamptz not null,
    known_at    timestamptz not null
);
create index interactions_person on features.interactions (person_id, occurred_at desc);
create index interactions_occurred on features.interactions using brin (occurred_at);

-- Sums over the same events; sums, minima and maxima do not depend on the order in which late events arrive.
create table features.person_types (
    person_id text        not null,
    type      text        not null,
    events    bigint      not null,
    first_at  timestamptz not null,
    last_at   timestamptz not null,
    primary key (person_id, type)
);

create table features.person_items (
    person_id text        not null,
    item_id   text        not null,
    events    bigint      not null,
    first_at  timestamptz not null,
    last_at   timestamptz not null,
    primary key (person_id, item_id)
);
create index person_items_item on features.person_items (item_id);

-- day is the calendar day in America/Santo_Domingo.
create table features.item_days (
    day     date        not null,
    item_id text        not null,
    type    text        not null,
    events  bigint      not null,
    last_at timestamptz not null,
    primary key (day, item_id, type)
);
create index item_days_item on features.item_days (item_id, day);

-- Everything the log said about an item, in event time and known-at time; price is null where it was not stated.
create table features.item_history (
    position    bigint      not null primary key,
    item_id     text        not null,
    change      text        not null check (change in ('listed', 'updated', 'repriced', 'sold', 'withdrawn')),
    occurred_at timestamptz not null,
    known_at    timestamptz not null,
    body        jsonb       null,
    price       numeric     null,
    currency    text        null
);
create index item_history_item on features.item_history (item_id, occurred_at desc, position desc);

-- The catalogue as it now is: the last row of item_history by event time, whatever the order of arrival.
create table features.items (
    item_id       text        not null primary key,
    kind          text        not null,
    status        text        not null,
    body          jsonb       not null,
    price         numeric     null,
    currency      text        null,
    priced_at     timestamptz not null,
    listed_at     timestamptz not null,
    updated_at    timestamptz not null,
    price_changes bigint      not null,
    position      bigint      not null
);
create index items_position on features.items (position);
create index items_kind on features.items (kind, status);

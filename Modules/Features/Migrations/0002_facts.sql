-- One row an event, never changed: what every feature of people, items, visits, sellers and campaigns is computed from, online and offline.
-- It takes the place of the interactions and of the sums that the online features were read from. Filled from the log from its beginning.
create table features.facts (
    position    bigint           not null primary key,
    type        text             not null,
    occurred_at timestamptz      not null,
    known_at    timestamptz      not null,
    person_id   text             null,
    item_id     text             null,
    session_id  text             null,
    dealer_id   text             null,
    campaign_id text             null,
    channel     text             null,
    device      text             null,
    make        text             null,
    body_type   text             null,
    amount      double precision null,
    extent      double precision null
);
create index facts_person on features.facts (person_id, occurred_at desc) where person_id is not null;
create index facts_item on features.facts (item_id) where item_id is not null;
create index facts_session on features.facts (session_id) where session_id is not null;
create index facts_dealer on features.facts (dealer_id) where dealer_id is not null;
create index facts_campaign on features.facts (campaign_id) where campaign_id is not null;

drop table features.interactions, features.person_types, features.person_items;
truncate features.item_days;

-- Training frames: what was asked for. Values are computed from the facts up to log_position, so that the same frame can be made again.
create table features.frames (
    id           uuid        not null primary key,
    features     text[]      not null,
    versions     integer[]   not null,
    log_position bigint      not null,
    rows         bigint      not null,
    sha256       text        null,
    created_at   timestamptz not null,
    created_by   text        not null
);

create table features.frame_rows (
    frame_id    uuid             not null references features.frames on delete cascade,
    row         bigint           not null,
    at          timestamptz      not null,
    label       double precision null,
    user_id     text             null,
    item_id     text             null,
    session_id  text             null,
    dealer_id   text             null,
    campaign_id text             null,
    request     jsonb            null,
    primary key (frame_id, row)
);

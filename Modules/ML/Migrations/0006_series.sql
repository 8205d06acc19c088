-- Numbers by hour that forecasts and watches are made of; nobody is named in them.

-- What a campaign's channel cost and brought, in dollars and counts.
create table ml.campaign_hours (
    campaign_id  text        not null,
    channel      text        not null,
    hour         timestamptz not null,
    usd          float8      not null default 0,
    impressions  float8      not null default 0,
    clicks       float8      not null default 0,
    applications float8      not null default 0,
    conversions  float8      not null default 0,
    competition  float8      null,
    primary key (campaign_id, channel, hour)
);
create index campaign_hours_by_hour on ml.campaign_hours (hour);

-- To which segment and place an item belongs.
create table ml.demand_items (
    item_id text primary key,
    kind    text not null,
    type    text not null,
    band    text not null,
    place   text not null
);

-- How often items of a segment in a place were looked at and asked about.
create table ml.demand_hours (
    kind     text        not null,
    type     text        not null,
    band     text        not null,
    place    text        not null,
    hour     timestamptz not null,
    views    float8      not null default 0,
    contacts float8      not null default 0,
    primary key (kind, type, band, place, hour)
);
create index demand_hours_by_hour on ml.demand_hours (hour);

-- The version of the subscription that wrote its tables.
alter table events.mt_event_progression add column projection_version integer not null default 1;

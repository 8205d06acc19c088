-- Which visitor was which user, and from when on that could be known; a row is one link, made and perhaps split, whichever of the two the log told first.
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

-- What the log said already.
insert into features.person_links (id, anonymous_id, user_id, linked_from, linked_position)
select (data ->> 'linkId')::uuid, data ->> 'anonymousId', data ->> 'userId', greatest(occurred_at, timestamp), seq_id from events.mt_events
where type = 'person_linked' and data ->> 'anonymousId' is not null and data ->> 'userId' is not null on conflict do nothing;
update features.person_links l set split_from = greatest(occurred_at, timestamp), split_position = seq_id from events.mt_events
where type = 'person_split' and (data ->> 'linkId')::uuid = l.id;

-- What programs did counts for nobody.
delete from features.facts f using events.mt_events e where e.seq_id = f.position and e.data @> '{"context": {"bot": true}}';
truncate features.item_days;
insert into features.item_days (day, item_id, type, events, last_at)
select (occurred_at at time zone 'America/Santo_Domingo')::date, item_id, type, count(*), max(occurred_at) from features.facts where item_id is not null group by 1, 2, 3;

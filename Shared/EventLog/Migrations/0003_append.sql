-- The append of a small group in one call: waits for its turn, leaves out what the log holds already, raises the streams' versions, draws the
-- positions and tells the readers. A function, because its plans are kept with the connection; a scan of the log is never one of them, not even
-- where a plan was made while the log was empty.
create function events.append(
    turn bigint, asked_at timestamptz, ids uuid[], stream_ids varchar[], bodies jsonb[], types varchar[], known timestamptz[], occurred timestamptz[], versions smallint[])
    returns setof uuid language plpgsql set enable_seqscan = off as $$
begin
    -- Each statement below sees what was committed while this one waited.
    perform pg_advisory_xact_lock(turn);
    return query
    with at as materialized (
        -- The log knows an event from when it is its turn, not from when it began to wait.
        select asked_at + (clock_timestamp() - statement_timestamp()) as now
    ), there as materialized (
        select e.id from events.mt_events e where e.id = any(ids) union all select a.id from events.archived_ids a where a.id = any(ids)
    ), fresh as materialized (
        select e.*, row_number() over (partition by e.stream_id order by e.place) as within, count(*) over (partition by e.stream_id) as of_stream
        from unnest(ids, stream_ids, bodies, types, known, occurred, versions) with ordinality e (id, stream_id, data, type, known_at, occurred_at, schema_version, place)
            left join there on there.id = e.id where there.id is null
    ), streams as (
        insert into events.mt_streams as s (id, version, timestamp, created) select f.stream_id, f.of_stream, at.now, at.now from fresh f, at where f.within = 1
        on conflict on constraint mt_streams_pkey do update set version = s.version + excluded.version, timestamp = excluded.timestamp returning s.id, s.version
    ), added as (
        insert into events.mt_events (seq_id, id, stream_id, version, data, type, timestamp, occurred_at, schema_version)
        select nextval('events.mt_events_sequence'), o.id, o.stream_id, o.version, o.data, o.type, o.known_at, o.occurred_at, o.schema_version from (
            select f.id, f.stream_id, s.version - f.of_stream + f.within as version, f.data, f.type, coalesce(f.known_at, at.now) as known_at,
                coalesce(f.occurred_at, f.known_at, at.now) as occurred_at, f.schema_version
            from fresh f join streams s on s.id = f.stream_id cross join at order by f.place
        ) o
    )
    select f.id from fresh f;
    perform pg_notify('okla_events', '');
end
$$;

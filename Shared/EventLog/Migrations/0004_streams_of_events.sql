-- The reference of an event to its stream stays declared, as Marten's layout has it, but is not checked again for every row: an append writes the
-- stream in the same transaction, under the log's own lock, and nothing deletes a stream before its events have moved. The check was a query for each event,
-- a fifth of the cost of an append. Servers before 18 know no such declaration and go on checking.
do $$
begin
    if current_setting('server_version_num')::int >= 180000 then
        execute 'alter table events.mt_events alter constraint mt_events_stream_id_fkey not enforced';
    end if;
end
$$;

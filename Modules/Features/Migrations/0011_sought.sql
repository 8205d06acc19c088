-- What a search asked for that has no column of its own: lines name=value. Null where an event is no such search, and for what was read before this column came, until a rebuild.
alter table features.facts add column sought text null;

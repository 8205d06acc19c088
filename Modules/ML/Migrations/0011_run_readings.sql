-- What a run of a model that learns no table read of the log, with which it can be made again.
alter table ml.runs add readings text null references ml.blobs (sha256);
create index runs_by_readings on ml.runs (readings) where readings is not null;

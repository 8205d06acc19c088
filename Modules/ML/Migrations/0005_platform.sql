-- Artefacts are blobs as data sets are; those of before stay where they are until their version is deleted.
alter table ml.model_versions
    alter artefact drop not null,
    add bytes integer null,
    add blob text null references ml.blobs (sha256);
update ml.model_versions set bytes = length(artefact);
alter table ml.model_versions
    alter bytes set not null,
    add constraint model_versions_have_bytes check (artefact is not null or blob = sha256);
create index model_versions_by_blob on ml.model_versions (blob) where blob is not null;

-- Whose each row of a version is, a line a row, where that is known: so that an erased person's rows are found.
alter table ml.dataset_versions add owners text null references ml.blobs (sha256);

-- Two versions that differ in an erased person's rows alone become the same.
alter table ml.dataset_versions drop constraint dataset_versions_dataset_sha256_key;
create index dataset_versions_by_content on ml.dataset_versions (dataset, sha256);
create index dataset_versions_by_blob on ml.dataset_versions (sha256);

-- Persons to be taken out of what was made from the log, by hashes that name nobody; and what that changed.
create table ml.erasures (
    position bigint      not null primary key,
    salt     text        not null,
    hashes   text[]      not null,
    asked_at timestamptz not null,
    done_at  timestamptz null
);
create index erasures_to_do on ml.erasures (position) where done_at is null;

create table ml.dataset_erasures (
    dataset  text        not null,
    version  integer     not null,
    position bigint      not null,
    rows     bigint      not null,
    left_in  bigint      not null,
    sha256   text        null,
    at       timestamptz not null,
    primary key (dataset, version, position)
);

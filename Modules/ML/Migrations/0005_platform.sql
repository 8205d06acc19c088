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

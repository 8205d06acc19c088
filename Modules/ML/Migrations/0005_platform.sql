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

-- What a run leaves behind: the rows it was measured on with its answers, and of a model of the log the table it learned from.
alter table ml.runs
    add held_out text null references ml.blobs (sha256),
    add held_out_threshold float8 null,
    add learned text null references ml.blobs (sha256);
create index runs_by_held_out on ml.runs (held_out) where held_out is not null;
create index runs_by_learned on ml.runs (learned) where learned is not null;

-- What was found out about a version when somebody asked: importance, bias by an attribute.
create table ml.version_reports (
    model   text        not null,
    version integer     not null,
    kind    text        not null,
    body    jsonb       not null,
    made_at timestamptz not null,
    primary key (model, version, kind),
    foreign key (model, version) references ml.model_versions (model, version) on delete cascade
);

-- How a job wants its version to be let in; null for at once.
alter table ml.training_jobs add rollout jsonb null;

-- Whether a user whose time is over reached the goal, once nothing late is expected any more; null before.
alter table ml.exposures add converted boolean null;
create index exposures_open on ml.exposures (rollout_id, at) where converted is null;

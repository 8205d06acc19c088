-- Bytes by their checksum. The row comes last in the transaction that writes the chunks, so that half a blob is never seen;
-- who keeps a blob refers to it, and what is referred to cannot be deleted.
create sequence ml.blob_ids;
create table ml.blobs (
    sha256       text        not null primary key,
    id           bigint      not null unique,
    bytes        bigint      not null,
    stored_bytes bigint      not null,
    in_folder    boolean     not null,
    created_at   timestamptz not null
);

create table ml.blob_chunks (
    blob   bigint  not null,
    number integer not null,
    bytes  bytea   not null,
    primary key (blob, number),
    foreign key (blob) references ml.blobs (id) on delete cascade deferrable initially deferred
);
alter table ml.blob_chunks alter column bytes set storage external;

create table ml.datasets (
    name         text        not null primary key,
    last_version integer     not null,
    rules        jsonb       not null,
    created_at   timestamptz not null
);

-- What a version is (sha256 of the table as canonical CSV), what was read out of it, what people said about it instead, and what the rules make of it.
create table ml.dataset_versions (
    dataset    text        not null references ml.datasets (name),
    version    integer     not null,
    sha256     text        not null references ml.blobs (sha256),
    rows       bigint      not null,
    columns    jsonb       not null,
    edits      jsonb       not null,
    statistics jsonb       not null,
    profile    jsonb       not null,
    findings   jsonb       not null,
    source     text        not null,
    created_at timestamptz not null,
    created_by text        not null,
    primary key (dataset, version),
    unique (dataset, sha256)
);

-- Which models learned from which version; such a version cannot be deleted.
create table ml.dataset_uses (
    dataset       text        not null,
    version       integer     not null,
    model         text        not null,
    model_version integer     not null,
    used_at       timestamptz not null,
    primary key (dataset, version, model, model_version),
    foreign key (dataset, version) references ml.dataset_versions (dataset, version)
);

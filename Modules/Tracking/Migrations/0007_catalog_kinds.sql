-- Attribute schemas of kinds, every version; the highest one holds. Kinds that come with the house stand in code until they are changed here.
create table tracking.kinds (
    kind       text        not null,
    version    integer     not null,
    schema     json        not null,
    created_at timestamptz not null,
    created_by text        not null,
    primary key (kind, version)
);

alter table tracking.items
    add column location jsonb null,
    add column available jsonb null;

create schema jobs;

-- Quartz makes its own tables in here when the scheduler starts.
create schema quartz;

create table jobs.runs (
    id uuid primary key,
    job text not null,
    reason text not null,
    outcome text not null check (outcome in ('queued', 'running', 'retrying', 'succeeded', 'failed', 'cancelled', 'lost')),
    attempt int not null default 0,
    requested_at timestamptz not null,
    started_at timestamptz,
    finished_at timestamptz,
    percent double precision not null default 0,
    message text,
    node text,
    error text
);

create index runs_of_job on jobs.runs (job, requested_at desc);
create index runs_finished on jobs.runs (job, outcome, started_at desc);

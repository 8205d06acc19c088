-- When the rows and the losses of cases that a run was measured on were forgotten for their age; its figures stay.
alter table ml.runs add forgotten_at timestamptz null;
create index runs_by_age on ml.runs (started_at) where held_out is not null or case_losses is not null;

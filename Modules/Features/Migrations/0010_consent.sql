-- Whether the person had agreed to advertising when the event happened; null where the event does not say.
alter table features.facts add column marketing boolean null;

-- Columns are no longer deflated: those of older cases are.
alter table segment add column deflated integer not null default 1;

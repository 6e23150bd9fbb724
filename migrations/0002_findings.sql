-- What an analysis found, as plain tables and as the value that reports are made from.
create table decision (
  -- write faults that do_wp_page decided, as the recording saw them
  seq integer primary key,        -- of the event that opened the fault
  end_seq integer not null,
  outcome_seq integer not null,   -- of the event that shows the outcome
  ns integer not null,            -- since origin_ns
  cpu integer not null,
  pid integer not null,
  mm integer,                     -- kernel pointer; printf('0x%x', mm) prints it
  address integer,
  pfn integer,
  new_pfn integer,                -- of the copy
  outcome text not null,          -- reuse, copy, wait, noop, unknown
  outcome_by text not null,       -- probe, inferred, absence, none
  page text not null,             -- anon, ksm, zero, private-file, shared, unknown
  exclusive integer,              -- inputs; null: not known
  refcount integer,
  mapcount integer,
  swapcache integer,
  locked integer,
  cause text not null             -- why a copy was made
) strict;
create index decision_pfn on decision (pfn);

create table divergence (
  -- divergences of the recording's own analysis: all checks, variant auto
  id text primary key,
  check_id text not null,
  severity text not null,         -- critical, high, warning, info
  verdict text not null,          -- proven, suspect
  cause text not null,
  count integer not null,
  first_seq integer not null,
  last_seq integer not null,
  cpu integer,                    -- of the first member, as the columns below
  pid integer,
  mm integer,
  address integer,
  pfn integer,
  new_pfn integer,
  entry integer,
  fingerprint text not null,
  body text not null              -- JSON: members, evidence, values, consequences
) strict;

create table coverage (
  -- how far each check could judge
  check_id text primary key,
  judged integer not null,
  cannot_judge integer not null,
  missing text not null           -- JSON: what would have been needed
) strict;

create table counter (
  -- ways in which the input disappointed
  name text primary key,
  count integer not null,
  severity text not null,         -- info, notice, data-loss, error
  advice text not null
) strict;

create table record_count (
  -- records by event name
  name text primary key,
  records integer not null,
  known integer not null          -- 0: no tracepoint here knows this event
) strict;

create table analysis (
  -- internal: results by what was asked
  question text primary key,
  version text not null,
  result blob not null
) strict;

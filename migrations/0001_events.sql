-- What a trace is, and its events. Tables whose comment says "internal" may change; the others are an interface.
create table source (
  -- one row: the trace that the case was recorded from, and how far the recording came
  id integer primary key check (id = 1),
  name text not null,             -- path as it was given
  size integer,                   -- bytes of the file, null for a stream
  sha256 text,                    -- of these bytes, null until the recording is complete
  format text,
  program text not null,          -- version of faultline that recorded it
  options text not null,          -- JSON: what was declared about the machine (kernel, arch, vmemmapBase, clock)
  origin_ns text not null,        -- absolute time of ns 0, as an integer text
  ticks integer not null,         -- 1: stamps are ticks of a counter, not nanoseconds
  events integer not null,        -- stored so far
  records integer not null,
  complete integer not null       -- 0: the recording was stopped and can be resumed
) strict;

create table kind (
  -- kinds of event as the recording program knew them
  code integer primary key,
  name text not null unique,
  args text not null              -- JSON: names and types of the arguments, in order
) strict;

create table task (
  -- tasks as the trace prints them
  pid integer primary key,
  comm text not null,             -- the last name printed
  tgid integer                    -- null where not told
) strict;

create table batch (
  -- internal: one row per transaction; facts: what was known of the input after it
  id integer primary key,
  first_seq integer not null,
  events integer not null,
  facts blob not null
) strict;

create table segment (
  -- internal: up to some thousand events, in compressed columns
  first_seq integer primary key,
  last_seq integer not null,
  min_ns integer not null,
  max_ns integer not null,
  first_record integer not null,
  last_record integer not null,
  checksum integer not null,      -- of the columns before compression
  columns blob not null
) strict;

create table record_text (
  -- internal: records as they were written, in blocks
  first_record integer primary key,
  last_record integer not null,
  places blob not null,
  text blob not null
) strict;

create table run (
  -- internal: a stretch of events whose posting lists are stored
  id integer primary key,
  first_seq integer not null,
  last_seq integer not null
) strict;

create table posting (
  -- internal: seqs of the events that name a key, for some keys from first_key on (what: 0 pages, 1 mms, 2 blocks of pages, 3 losses and starts of segments)
  what integer not null,
  run integer not null,
  first_key integer not null,
  lists blob not null,
  primary key (what, run, first_key)
) strict, without rowid;

create table snapshot (
  -- internal: the whole state after an event; versions: of the slices that wrote it
  seq integer primary key,
  versions text not null,
  image blob not null
) strict;

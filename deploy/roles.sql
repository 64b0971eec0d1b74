-- Two roles for one database: conduit_owner migrates it, conduit_server serves from it and cannot change its tables.
-- Run it once, as an administrator, in the database, before the first migration:
--   psql --set ON_ERROR_STOP=1 --file deploy/roles.sql "$ADMINISTRATOR_URL"
-- Then set the passwords, in psql: \password conduit_owner   and: \password conduit_server

create role conduit_owner login;
create role conduit_server login;
grant conduit_owner to current_user; -- who may set the privileges below only as a member, unless a superuser

-- Only these two use the database. Others could fill it with temporary tables.
do $$
begin
  execute format('revoke all on database %I from public', current_database());
  execute format('grant connect, create, temporary on database %I to conduit_owner', current_database());
  execute format('grant connect on database %I to conduit_server', current_database());
end
$$;

revoke create on schema public from public;
grant usage, create on schema public to conduit_owner;
grant usage on schema public to conduit_server;

-- What the migrations will make.
alter default privileges for role conduit_owner in schema public
  grant select, insert, update, delete on tables to conduit_server;
alter default privileges for role conduit_owner in schema public
  grant usage, select on sequences to conduit_server;

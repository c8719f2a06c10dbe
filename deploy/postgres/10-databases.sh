#!/bin/sh
# Run once by Postgres' own image, when its volume is empty: a role and a database for each thing that is stored.
# Each role is an ordinary one; the warehouse's may also make roles, because every tenant gets two of its own.
set -eu
for name in control dagster warehouse; do
    password=$(printenv "$(printf '%s_PASSWORD' "$name" | tr '[:lower:]' '[:upper:]')")
    rights=""
    [ "$name" = warehouse ] && rights="CREATEROLE"
    psql --set=ON_ERROR_STOP=1 --username postgres --set=role="gtm_$name" --set=password="$password" <<SQL
CREATE ROLE :"role" LOGIN $rights PASSWORD :'password';
CREATE DATABASE :"role" OWNER :"role";
REVOKE CONNECT ON DATABASE :"role" FROM PUBLIC;
SQL
done

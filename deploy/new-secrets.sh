#!/bin/sh
# Writes gtm.env and postgres.env beside this file, with new passwords and a new encryption key, for their owner only.
# It replaces nothing: a file that is there is kept, and with it the key that opens the vault.
set -eu
umask 077
cd "$(dirname "$0")"
for file in gtm.env postgres.env; do
    if [ -e "$file" ]; then
        echo "$PWD/$file is there already; nothing was written" >&2
        exit 1
    fi
done
secret() { head -c 32 /dev/urandom | od -An -tx1 | tr -d ' \n'; }
control=$(secret) dagster=$(secret) warehouse=$(secret)
cat > postgres.env <<ENV
POSTGRES_PASSWORD=$(secret)
CONTROL_PASSWORD=$control
DAGSTER_PASSWORD=$dagster
WAREHOUSE_PASSWORD=$warehouse
ENV
cat > gtm.env <<ENV
# Keep a copy of this key away from this machine: without it no stored credential can be read.
CONNECTOR_ENCRYPTION_KEY=$(secret)
GTM_CONTROL_URL=postgresql://gtm_control:$control@postgres/gtm_control
GTM_DAGSTER_URL=postgresql://gtm_dagster:$dagster@postgres/gtm_dagster
GTM_WAREHOUSE_URL=postgresql://gtm_warehouse:$warehouse@postgres/gtm_warehouse
ENV
echo "wrote $PWD/gtm.env and $PWD/postgres.env; keep a copy of CONNECTOR_ENCRYPTION_KEY elsewhere" >&2

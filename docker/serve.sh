#!/bin/bash
# Builds the database at the first start, updates it when the add-ons in the image changed, then serves it.
# HOST, PORT, USER and PASSWORD (or PASSWORD_FILE) are those of the official image, whose entry point is used.
set -euo pipefail

database=${CHANNEL_DATABASE:-channel_demo}
modules=${CHANNEL_MODULES:-channel_demo}
addons=/mnt/extra-addons

if [[ -n ${PASSWORD_FILE:-} ]]; then
    PASSWORD=$(<"$PASSWORD_FILE")
fi

sql() {
    PGPASSWORD=$PASSWORD psql --host="$HOST" --port="${PORT:-5432}" --username="$USER" --dbname=postgres \
        --no-psqlrc --quiet --tuples-only --no-align --set=ON_ERROR_STOP=1 --set=name="$database" "$@"
}

odoo_once() {
    /entrypoint.sh odoo --database="$database" --stop-after-init --no-http "$@"
}

# The comment of the database says from which add-ons it was made whole; without it a build was cut off.
made_of=$(cd "$addons" && find . -type f -not -name '*.pyc' -print0 | sort -z | xargs -0 sha256sum | sha256sum | cut -c1-16)
state=$(sql <<<"SELECT coalesce(shobj_description(oid, 'pg_database'), 'unfinished') FROM pg_database WHERE datname = :'name'")

if [[ $state == "channel-suite $made_of" ]]; then
    echo "The database $database is up to date."
elif [[ $state == "channel-suite "* ]]; then
    odoo_once --update=channel_base --init="$modules"
elif [[ -z $state || $state == unfinished-build ]]; then
    sql <<<'DROP DATABASE IF EXISTS :"name"'
    sql <<<'CREATE DATABASE :"name" TEMPLATE template0'
    sql <<<"COMMENT ON DATABASE :\"name\" IS 'unfinished-build'"
    odoo_once --init="$modules" --load-language="${CHANNEL_LANGUAGES:-en_US,zh_CN}"
else
    echo "There is a database $database that this image did not make: set CHANNEL_DATABASE to another name." >&2
    exit 1
fi
sql --set=note="channel-suite $made_of" <<<"COMMENT ON DATABASE :\"name\" IS :'note'"

echo "Logins:"
cat "$addons/channel_demo/data/logins.csv"
exec /entrypoint.sh odoo --database="$database" --db-filter="^${database}\$" --no-database-list \
    --workers="${CHANNEL_WORKERS:-0}" --max-cron-threads=1 "$@"

#!/bin/sh
# Create Temporal's two databases and bring their schemas up to the version of this image. Safe to run again.
set -eu

prepare() {
    database=$1 schema=$2
    set -- --plugin postgres12 --ep "$POSTGRES_SEEDS" --port 5432 --user "$POSTGRES_USER" --database "$database"
    temporal-sql-tool "$@" create-database
    temporal-sql-tool "$@" setup-schema --version 0.0
    temporal-sql-tool "$@" update-schema --schema-dir "/etc/temporal/schema/postgresql/v12/$schema/versioned"
}

prepare temporal temporal
prepare temporal_visibility visibility

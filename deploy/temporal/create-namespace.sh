#!/bin/sh
# Create the namespace, or set its retention: how long a closed set's history, and with it its workflow id, is remembered.
set -eu

until temporal operator cluster health; do
    sleep 1
done
if temporal operator namespace describe --namespace "$NAMESPACE" >/dev/null 2>&1; then
    temporal operator namespace update --namespace "$NAMESPACE" --retention "$RETENTION"
else
    temporal operator namespace create --namespace "$NAMESPACE" --retention "$RETENTION"
fi

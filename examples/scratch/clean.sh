#!/bin/sh
# Brings the folder to its baseline: two empty folders that belong to us alone. Says how much it removed.
. "$(dirname "$0")/common.sh"

# To watch it at work.
sleep "${SCRATCH_CLEAN_SECONDS:-0}"

count=0
if [ -d "$folder" ]; then
    # A holder may have taken our own permissions away.
    chmod -R u+rwx "$folder"
    count=$(find "$folder" ! -path "$folder" ! -path "$folder/access" ! -path "$folder/revoked" | wc -l | tr -d ' ')
    rm -rf "$folder"
fi
mkdir -p "$folder"
mkdir "$folder/access" "$folder/revoked"
printf '{"report":"removed %s files and folders"}\n' "$count"

#!/bin/sh
# Moves the database to a place that only its new holder will know.
. "$(dirname "$0")/common.sh"

token=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
mine=$folder/access/$BERTH_EPOCH-$token

# A run of this step that was cut short may have moved it already. Nobody was told where to, so take it from there.
for earlier in "$folder/access/$BERTH_EPOCH"-*; do
    if [ -f "$earlier/shop.db" ]; then
        mv "$earlier/shop.db" "$folder/shop.db"
    fi
    rm -rf "$earlier"
done

[ -f "$folder/shop.db" ] || { echo "$folder has no database" >&2; exit 1; }
mkdir "$mine"
mv "$folder/shop.db" "$mine/shop.db"

file=$mine/shop.db
printf '{"credentials":{"token":"%s"},"connection":{"file":"%s","url":"jdbc:sqlite:%s"},' "$token" "$file" "$file"
printf '"env":{"DATABASE_FILE":"%s","DATABASE_URL":"jdbc:sqlite:%s"}}\n' "$file" "$file"

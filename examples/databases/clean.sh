#!/bin/sh
# Drops the database, wherever it is, and makes it anew from the template.
. "$(dirname "$0")/common.sh"

if [ -d "$folder" ]; then
    chmod -R u+rwx "$folder"
    rm -rf "$folder"
fi
mkdir -p "$folder"
mkdir "$folder/access" "$folder/revoked"
# Under another name until it is whole: a database half made is none.
sqlite3 -batch -bail "$folder/new.db" <"$template"
mv "$folder/new.db" "$folder/shop.db"
printf '{"report":"made anew from the template"}\n'

#!/bin/sh
# Looks for itself: the database is sound and holds what the template says, row by row, and there is nothing beside it.
. "$(dirname "$0")/common.sh"

fail() {
    echo "$1" >&2
    exit 1
}

[ -f "$folder/shop.db" ] || fail "$folder has no database"
beside=$(find "$folder" ! -path "$folder" ! -path "$folder/access" ! -path "$folder/revoked" ! -path "$folder/shop.db")
[ -z "$beside" ] || fail "left behind: $(printf '%s\n' "$beside" | head -n 20)"

# A failing sqlite3 ends the script (set -e): what cannot be read is not agreed with.
check=$(sqlite3 -batch -readonly "$folder/shop.db" 'PRAGMA integrity_check')
[ "$check" = ok ] || fail "not sound: $check"
settings='SELECT * FROM pragma_user_version, pragma_application_id, pragma_journal_mode'
found=$(sqlite3 -batch -readonly "$folder/shop.db" .dump "$settings")
wanted=$({ cat "$template"; echo .dump; } | sqlite3 -batch -bail :memory:)
wanted="$wanted
0|0|delete"
[ "$found" = "$wanted" ] || fail "differs from the template"

#!/bin/sh
# Looks for itself and believes nothing that clean.sh says: there are our two folders, ours alone, and nothing else.
. "$(dirname "$0")/common.sh"

user=$(id -u)
for wanted in "$folder" "$folder/access" "$folder/revoked"; do
    # Prints the folder when it is a real one (no link), belongs to us and is closed to others.
    if [ -z "$(find "$wanted" -prune -type d -user "$user" -perm 700)" ]; then
        echo "$wanted is not a folder of user $user with mode 700" >&2
        exit 1
    fi
done

# An error of find ends the script (set -e): what cannot be listed is not empty.
listing=$(find "$folder" ! -path "$folder" ! -path "$folder/access" ! -path "$folder/revoked")
if [ -n "$listing" ]; then
    echo "left behind:" >&2
    printf '%s\n' "$listing" | head -n 20 >&2
    exit 1
fi

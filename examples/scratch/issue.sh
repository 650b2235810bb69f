#!/bin/sh
# Makes a folder for this epoch. Its name cannot be guessed: who does not know it has no access.
. "$(dirname "$0")/common.sh"

[ -d "$folder/access" ] || { echo "$folder was never cleaned" >&2; exit 1; }

# A run of this step that was cut short may have made one already. Nobody was given it.
rm -rf "$folder/access/$BERTH_EPOCH"-*

token=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
mine=$folder/access/$BERTH_EPOCH-$token
mkdir "$mine"

printf '{"credentials":{"token":"%s"},"connection":{"path":"%s"},"env":{"SCRATCH_DIR":"%s"}}\n' "$token" "$mine" "$mine"

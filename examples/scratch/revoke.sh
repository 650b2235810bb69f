#!/bin/sh
# Takes away the folders of this epoch and of all older ones; the path that an old holder knows leads nowhere afterwards.
# A newer epoch's folder stays: its holder has it by right.
. "$(dirname "$0")/common.sh"

[ -d "$folder/access" ] || exit 0
mkdir -p "$folder/revoked"
for given in "$folder"/access/*; do
    [ -d "$given" ] || continue
    name=${given##*/}
    epoch=${name%%-*}
    case $epoch in
        '' | *[!0-9]*) ;;
        *) [ "$epoch" -le "$BERTH_EPOCH" ] || continue ;;
    esac
    # Not `mv` onto an existing name, which would move into it.
    mv "$given" "$folder/revoked/$name.$$"
done

#!/bin/sh
# Takes away what holders of this epoch and of all older ones were given; the path they know leads nowhere afterwards. What the
# holder of a newer epoch has stays.
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

# What the four steps agree on. Read by them, not run by itself.
#
#   $SCRATCH_HOME/<environment>/access/<epoch>-<token>    what the holder of that epoch was given
#   $SCRATCH_HOME/<environment>/revoked/<epoch>-<token>   what earlier holders had, until it is cleaned
set -eu
umask 077

home=${SCRATCH_HOME:-${TMPDIR:-/tmp}/berth-scratch-$(id -u)}

# 75 tells Berth that the environment is not at fault: this is a mistake in the settings.
not_the_environment() {
    echo "$1" >&2
    exit 75
}

# The path is written into JSON as it is, so it must need no escaping there.
case $home in
    *[!A-Za-z0-9/._+-]*) not_the_environment "SCRATCH_HOME has characters other than letters, digits and /._+-: $home" ;;
    /*) ;;
    *) not_the_environment "SCRATCH_HOME must be an absolute path: $home" ;;
esac
# In a folder that others can write to, they could put another one in the place of ours.
if [ -e "$home" ] && [ -z "$(find "$home" -prune -type d -user "$(id -u)" ! -perm -020 ! -perm -002)" ]; then
    not_the_environment "$home must be a folder of our own that no other user can write to"
fi
case ${BERTH_ENVIRONMENT:-} in
    '' | .* | *[!A-Za-z0-9._-]*) not_the_environment "not usable as the name of a folder: ${BERTH_ENVIRONMENT:-}" ;;
esac
case ${BERTH_EPOCH:-} in
    '' | *[!0-9]*) not_the_environment "BERTH_EPOCH is no number: ${BERTH_EPOCH:-}" ;;
esac

folder=$home/$BERTH_ENVIRONMENT

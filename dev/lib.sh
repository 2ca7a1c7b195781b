# What dev/kafka and dev/postgres have in common: words to the person, ports, packages, and ending a process.
# shellcheck shell=bash

# shellcheck disable=SC2034 # for the scripts that read this file
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
script=$(cd "$(dirname "$0")" && pwd)/${0##*/}

say() { printf '%s\n' "$*" >&2; }
die() { say "dev/${0##*/}: $*"; exit 1; }

# The comment block at the top of a script, after its first line, is its --help.
help() { sed -n '2,/^$/{s/^# \{0,1\}//p;}' "$script"; }

# A directory as an absolute path without links, made if it is missing.
directory() { mkdir -p "$1" && (cd "$1" && pwd -P); }

answers() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# A port on which nothing answers now. Below every system's range for outgoing connections, so that no client takes it
# while a server restarts. Another process may still be quicker: callers try again when the server can't bind.
free_port() {
    local port
    while :; do
        port=$((10000 + (RANDOM * 32768 + RANDOM) % 20000))
        answers "$port" || break
    done
    echo "$port"
}

# A process that has ended but that nobody has waited for yet (the first process of a container may never do) is not alive.
alive() { kill -0 "$1" 2>/dev/null && ! grep -qs '^State:[[:space:]]*Z' "/proc/$1/status"; }

# Ends a process by its id and waits for it: politely, after the given seconds by force.
end_process() {
    local pid=$1 deadline=$((SECONDS + $2))
    kill -TERM "$pid" 2>/dev/null || return 0
    while alive "$pid"; do
        if ((SECONDS >= deadline)); then
            say "process $pid did not end in $2 s and is killed"
            kill -KILL "$pid" 2>/dev/null || true
            deadline=$((SECONDS + $2))
        fi
        sleep 0.05
    done
}

# Installs Debian packages where that needs no question: as root, with apt-get. False anywhere else.
install_packages() {
    [[ $(id -u) == 0 ]] && command -v apt-get >/dev/null || return 1
    say "installing $* with apt-get"
    local apt=(apt-get -y -q -o DPkg::Lock::Timeout=300)
    # In run level 1 packages start no service: Debian's PostgreSQL would bring one up beside ours.
    { "${apt[@]}" update && DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 "${apt[@]}" install --no-install-recommends "$@"; } >&2
}

# The command line of a script: start or stop, then options. The first argument names the options that take a value; each
# sets the variable of its name.
run() {
    local valued=" $1 " command=${2:-}
    shift 2 || shift
    while (($#)); do
        case $1 in
        --remove) remove=yes && shift ;;
        --help | -h) command=help && shift ;;
        *)
            [[ $1 == --* && $valued == *" ${1#--} "* ]] || die "unknown option $1; dev/${0##*/} --help lists them"
            [[ -n ${2:-} ]] || die "$1 needs a value"
            printf -v "${1#--}" %s "$2"
            shift 2
            ;;
        esac
    done
    case $command in
    start | stop) "$command" ;;
    help | --help | -h) help ;;
    *) help >&2 && exit 2 ;;
    esac
}

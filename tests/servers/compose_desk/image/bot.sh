#!/bin/sh
# Stands in for a bot's process. It logs, ends at once when asked to, and shows the desk's three troubles:
#   stale bytecode    what is in __pycache__ is loaded, whatever the mounted source says by now
#   a crash           where data/crash exists it ends with exit code 1 (a restart loop, with restart: unless-stopped)
#   too much memory   where data/oom exists it takes all it can get until the kernel kills it
home=/home/hummingbot
trap 'exit 0' TERM INT

say() { printf '%s,000 - 1 - hummingbot.core - %s - %s\n' "$(date -u '+%F %T')" "$1" "$2" | tee -a "$home/logs/logs_bot.log"; }

load() {
    cache=$1/__pycache__/epp_v2_4.cpython-312.pyc
    mkdir -p "$1/__pycache__"
    if [ ! -e "$cache" ]; then cp "$1/epp_v2_4.py" "$cache"; fi
    say INFO "loaded ${1#"$home/"}: $(head -n 1 "$cache")"
}

say INFO "image $(cat "$home/VERSION") started"
load "$home/controllers"
load "$home/controllers/market_making"
while :; do
    if [ -e "$home/data/crash" ]; then say ERROR 'crashed: data/crash'; exit 1; fi
    if [ -e "$home/data/oom" ]; then exec tail /dev/zero; fi
    sleep 0.3 & wait $!
done

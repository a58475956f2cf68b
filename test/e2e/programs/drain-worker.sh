#!/bin/sh
# A worker outside of ToDone that is a shell script: each request is a process of its own. Takes its orders from the environment
# (TODONE, NAME, HASH, STOP, HOLD_AT, LIVING, HELD, PAUSE) and tells the same lines as drain-worker.ts.
tell() { printf '{"what":"%s","at":%s,"title":"%s"}\n' "$1" "$(date +%s%3N)" "$2"; }
field() { printf '%s\n' "$said" | tr ',{}' '\n\n\n' | sed -n "s/^ *\"$1\": *\"\(.*\)\" *$/\1/p" | head -n 1; }

claims=0
while [ ! -e "$STOP" ]; do
  lease=$LIVING
  [ "$((claims + 1))" -eq "$HOLD_AT" ] && lease=$HELD
  if ! said=$($TODONE task claim --as "$NAME" --lease "$lease" --json 2> /dev/null); then
    tell refused "$(field message)"
    sleep "$PAUSE"
    continue
  fi
  claims=$((claims + 1))
  id=$(field id)
  ticket=$(field ticket)
  title=$(field title)
  tell claimed "$title"
  if [ "$claims" -eq "$HOLD_AT" ]; then
    tell holds "$title"
    exec sleep 600
  fi
  tell closing "$title"
  # On a busy machine nobody may have said hello in time: whoever is not answered asks again.
  while :; do
    said=$($TODONE task close "$id" --as "$NAME" --hash "$HASH" --ticket "$ticket" --json 2> /dev/null) && ended=closed || ended=lost
    [ "$ended" = closed ] && break
    case $said in
      *'it is done already'*) ended=closed && break ;;
      *waited* | *'went away'* | *'does not answer'*) ;;
      *) break ;;
    esac
  done
  tell "$ended" "$title"
done

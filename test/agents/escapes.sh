#!/bin/sh
# Ends at once and leaves behind: a background job with its output, a session of its own, a double fork, a nohup.
sleep 60 &
setsid sleep 60 &
setsid sh -c 'sleep 60 & sleep 60 & exit' &
nohup sleep 60 >/dev/null 2>&1 &
echo "$$ left"
exit 0

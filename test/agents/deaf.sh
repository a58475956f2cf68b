#!/bin/sh
# Ignores every polite signal, and so do its children.
trap '' TERM INT HUP
sh -c 'trap "" TERM INT HUP; while :; do sleep 1; done' &
echo started
while :; do sleep 0.2; done

#!/bin/sh
# Runs on, with children in sessions of their own.
setsid sleep 60 &
setsid sh -c 'trap "" TERM; while :; do sleep 1; done' &
echo started
while :; do sleep 0.2; done

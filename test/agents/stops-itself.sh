#!/bin/sh
# Stopped, as by a debugger: neither output nor CPU, and deaf until woken.
echo started
kill -STOP $$
sleep 60

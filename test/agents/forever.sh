#!/bin/sh
# Never ends by itself, but goes when told to.
echo started
while :; do sleep 0.1; done

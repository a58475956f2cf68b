#!/bin/sh
# Says nothing and needs no CPU to speak of, but a file of the workspace changes now and then.
for n in 1 2 3 4 5 6; do sleep 0.3; echo $n > sub/file; done

#!/bin/sh
# The floor: what anybody would type. One worktree for each section, one commit for each task, two sections at a time.
# Usage: floor.sh <sections> <tasks>
export TASKS="$2"
section() {
  git worktree add -q -b "bench/s$1" "trees/s$1" main || exit 1
  cd "trees/s$1" || exit 1
  task=0
  while [ "$task" -lt "$TASKS" ]; do
    sh -c "echo $1-$task > made$task.txt" && git add -A && git commit -q -m "Make $task of $1" --trailer "ToDone-Task: s$1t$task" || exit 1
    task=$((task + 1))
  done
}
if [ "$1" = --section ]; then
  TASKS="$3" section "$2"
  exit
fi
seq 0 $(($1 - 1)) | xargs -P 2 -I {} sh "$0" --section {} "$2"

#!/bin/sh
# The floor for many agents on one branch, as anybody would type it: a worktree for each task, all at once; then one after
# another onto the branch: rebase, verify, move it.
# Usage: lanes.sh <tasks>
if [ "$1" = --task ]; then
  # Two of these at once read each other's half-written entries, and fail; the files come side by side.
  flock .git/add.lock git worktree add -q --no-checkout --detach "trees/t$2" bench/all || exit 1
  cd "trees/t$2" && git reset -q --hard || exit 1
  sh -c "echo $2 > made$2.txt" && git add -A && git commit -q -m "Make $2" --trailer "ToDone-Task: t$2" || exit 1
  # shellcheck disable=SC2016
  exec flock ../../.git/lanes.lock sh -c 'git rebase -q bench/all && sh -c "$VERIFY" && git update-ref refs/heads/bench/all HEAD "$(git rev-parse bench/all)"'
fi
git branch bench/all main
seq 0 $(($1 - 1)) | xargs -P "$1" -I {} sh "$0" --task {}

#!/bin/bash
# Succeeds while the gateway's /ping says 200. Run by keepalived once a second, it watches for most of that second:
# HEAD /ping ten times, and its end at the second failure in a row (one may be a worker that just died).
# Nothing is forked while it watches.

host=${1:-127.0.0.1}
port=${2:-8080}
trap '' PIPE

ask() {
  local fd line=''
  { exec {fd}<>"/dev/tcp/$host/$port"; } 2>/dev/null || return 1
  printf 'HEAD /ping HTTP/1.1\r\nHost: ping\r\nConnection: close\r\n\r\n' >&"$fd" 2>/dev/null
  IFS= read -r -t 0.4 -u "$fd" line
  exec {fd}>&-
  [[ $line == 'HTTP/1.1 200 '* ]]
}

# A pipe nobody writes to: reading from it sleeps.
exec {never}<> <(:)
begun=${EPOCHREALTIME/[.,]/}
failed=0
while ((${EPOCHREALTIME/[.,]/} - begun < 850000)); do
  if ask; then
    failed=0
    read -r -t 0.09 -u "$never"
  elif ((++failed >= 2)); then
    exit 1
  else
    read -r -t 0.03 -u "$never"
  fi
done
exit $((failed > 0))

#!/bin/bash
# The pair on one machine, each host in a network namespace of its own: try.sh up | start <a|b> | down. Needs root.
set -eu
cd "$(dirname "$0")"
run=/run/portcullis-example
node=$PWD/../../node_modules/.bin/node
declare -A address=([a]=10.0.0.11 [b]=10.0.0.12 [redis]=10.0.0.21 [one]=10.0.0.31 [two]=10.0.0.32 [client]=10.0.0.40)

on() { ip netns exec "pair-$1" "${@:2}"; }

# background <host> <name> <command>: its output and its pid under $run.
background() {
  ip netns exec "pair-$1" "${@:3}" >"$run/$2.log" 2>&1 </dev/null &
  echo $! >"$run/$2.pid"
}

until_true() {
  for _ in $(seq 300); do "$@" >/dev/null 2>&1 && return; sleep 0.1; done
  echo "waited in vain for: $*" >&2
  tail -n 5 "$run"/*.log >&2
  exit 1
}

network() {
  ip netns add pair-lan
  on lan ip link add switch type bridge
  on lan ip link set switch up
  for host in "${!address[@]}"; do
    ip netns add "pair-$host"
    on "$host" ip link set lo up
    on lan ip link add "port-$host" type veth peer name eth0 netns "pair-$host"
    on lan ip link set "port-$host" master switch up
    on "$host" ip address add "${address[$host]}/24" dev eth0
    on "$host" ip link set eth0 up
  done
  for host in a b; do
    # Of ops/sysctl.conf, what a pair needs.
    on "$host" sysctl -qw net.ipv4.tcp_migrate_req=1 net.ipv4.conf.all.arp_ignore=1 net.ipv4.conf.all.arp_announce=2
  done
}

# A zombie holds no port any more.
gone() { ! grep -qs '^State:[[:space:]]*[^ZX]' "/proc/$1/status"; }

# One that was told to end holds its ports until its last request is over.
gateway() {
  [ ! -e "$run/gateway-$1.pid" ] || until_true gone "$(cat "$run/gateway-$1.pid")"
  background "$1" "gateway-$1" "$node" ../../src/main.ts --configFile=static.yml
  until_true on "$1" curl -sf http://127.0.0.1:8080/ping
}

keepalived() {
  background "$1" "keepalived-$1" keepalived --dont-fork --log-console --vrrp "--config-id=$1" \
    "--use-file=$run/keepalived.conf" "--pid=$run/$1.main" "--vrrp_pid=$run/$1.vrrp" "--checkers_pid=$run/$1.check"
}

up() {
  # Scripts are run only from where nobody but root may write.
  install -d -m 755 "$run"
  install -m 755 ../../ops/keepalived/*.sh "$run"
  sed "s#/etc/keepalived#$run#" ../../ops/keepalived/keepalived.conf >"$run/keepalived.conf"
  network
  background redis redis redis-server --bind 10.0.0.21 --protected-mode no --save '' --appendonly no
  background one auth "$node" ../services/serve.ts auth 9000
  for host in one two; do background "$host" "mcp-$host" "$node" ../services/serve.ts mcp 8000 "$host"; done
  until_true on redis redis-cli -h 10.0.0.21 ping
  for host in a b; do gateway "$host"; done
  for host in a b; do keepalived "$host"; done
  until_true on client curl -sf -m 1 http://10.0.0.10/health
  echo 'ha-pair is ready'
}

down() {
  for host in lan "${!address[@]}"; do
    pids=$(ip netns pids "pair-$host" 2>/dev/null || true)
    [ -z "$pids" ] || kill -9 $pids 2>/dev/null || true
    ip netns delete "pair-$host" 2>/dev/null || true
  done
  rm -rf "$run"
}

case "${1:-}" in
  up) up ;;
  start) gateway "$2" ;;
  down) down ;;
  *) echo "usage: $0 up | start <a|b> | down" >&2; exit 2 ;;
esac

#!/bin/sh
# Waits for the certificates, and fetches the root that they come from: pebble makes another one at every start.
set -eu
curl -sf --retry 20 --retry-connrefused --retry-delay 1 --cacert state/clients.pem -o state/root.pem https://127.0.0.1:15000/roots/0
for name in shop.example.test admin.example.test; do
  tries=0
  # A handshake is enough: it asks clients of one name for a certificate only after it has shown its own.
  until openssl s_client -connect 127.0.0.1:8443 -servername "$name" -CAfile state/root.pem -verify_return_error \
    -cert state/client.pem -key state/client.key </dev/null >/dev/null 2>&1; do
    tries=$((tries + 1))
    [ "$tries" -lt 60 ] || { echo "no certificate for $name" >&2; exit 1; }
    sleep 0.5
  done
done

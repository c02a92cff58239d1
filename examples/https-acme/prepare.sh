#!/bin/sh
# Makes what this example needs before its first start: the authority's own certificate, and clients' certificates.
set -eu
umask 077
mkdir -p state
cd state
[ -e client.pem ] && exit 0

# issue <name> <subject> <extensions>: a key and a certificate of the example's own root.
issue() {
  openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$1.key" -subj "$2" -out "$1.csr"
  printf '%s\n' "$3" >"$1.ext"
  openssl x509 -req -in "$1.csr" -CA clients.pem -CAkey clients.key -CAcreateserial -days 30 -extfile "$1.ext" -out "$1.pem"
  rm "$1.csr" "$1.ext"
}
{
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout clients.key -days 30 \
    -subj '/CN=Example clients' -out clients.pem
  issue pebble '/CN=pebble' 'subjectAltName=IP:127.0.0.1,DNS:localhost'
  issue client '/O=Operations/CN=ada' 'extendedKeyUsage=clientAuth'
} 2>openssl.log || { cat openssl.log >&2; exit 1; }

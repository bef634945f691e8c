#!/usr/bin/env bash
# Makes a throw-away authority and server certificates in the folder $1: localhost (good), wrong-host, untrusted, expired.
set -euo pipefail
mkdir -p "${1:?a folder}"
cd "$1"
[ -e done ] && exit 0

authority() {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$1.key" -out "$1.pem" -days 3650 \
        -subj "/CN=$1" -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign 2>/dev/null
}

# leaf NAME AUTHORITY SUBJECT-ALTERNATIVE-NAMES DAYS
leaf() {
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$1.key" -out "$1.csr" -subj "/CN=$1" 2>/dev/null
    printf 'subjectAltName=%s\nbasicConstraints=CA:FALSE\nextendedKeyUsage=serverAuth\n' "$3" >"$1.ext"
    openssl x509 -req -in "$1.csr" -CA "$2.pem" -CAkey "$2.key" -CAcreateserial -extfile "$1.ext" -out "$1.pem" -days "$4" 2>/dev/null
}

authority ca
authority other-ca
leaf localhost ca 'DNS:localhost,IP:127.0.0.1' 825
leaf wrong-host ca 'DNS:elsewhere.example' 825
leaf untrusted other-ca 'DNS:localhost,IP:127.0.0.1' 825
leaf expired ca 'DNS:localhost,IP:127.0.0.1' 0
# Its life ends in the second it was made in: whoever looks at once would still believe it.
sleep 2
touch done

#!/usr/bin/env bash
# OpenLDAP with the people and groups of slapd.ldif below dc=example,dc=test; on $PORT (StartTLS) and $LDAPS_PORT (TLS), or free ones.
#
# Says `READY ldaps://127.0.0.1:PORT ldap://127.0.0.1:PORT` on standard output, and on standard error who binds and searches.
#   $CA, $CERT      its certificate, one of ca.sh in that folder; without a folder it speaks no TLS at all
#   $REQUIRE_TLS    nothing else is taken on a connection without TLS
#   $ANONYMOUS      everybody may read; else only cn=reader,dc=example,dc=test with reader-secret, and each their own entry
#   $MANY           so many further groups with bob in them: cn=many-1,ou=groups,dc=example,dc=test and so on
#   $LIMIT          what it gives at most, in the words of slapd.conf's sizelimit; else 500 entries, in parts (RFC 2696) as well
#   $FOREIGN        another suffix for the same people, dc=example and more, so that two are two directories
# cn=manager,dc=example,dc=test with manager-secret may change everything.
# A name with an empty password is let in as nobody in particular, as Active Directory does (RFC 4513 section 5.1.2).
#
# The folder goes when the server ends; with $UNTIL_EOF that is when standard input ends, so that no test leaves it behind.
set -euo pipefail
export PATH="$PATH:/usr/sbin:/sbin"
HERE="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
SUFFIX="${FOREIGN:-dc=example,dc=test}"
EVERYBODY=none
[ -z "${ANONYMOUS:-}" ] || EVERYBODY=read

fail() { printf 'slapd: %s\n' "$*" >&2; exit 1; }
command -v slapd >/dev/null || fail "slapd is not there: run bash tests/setup"

free_ports() {
    python3 -c 'import socket
pair = [socket.socket(), socket.socket()]
for s in pair: s.bind(("127.0.0.1", 0))
print(*(s.getsockname()[1] for s in pair))'
}
read -r free free_tls < <(free_ports)
PORT="${PORT:-$free}" LDAPS_PORT="${LDAPS_PORT:-$free_tls}"
LISTEN="ldap://127.0.0.1:$PORT" ADDRESSES="ldap://127.0.0.1:$PORT"
if [ -n "${CA:-}" ]; then
    LISTEN="$LISTEN ldaps://127.0.0.1:$LDAPS_PORT" ADDRESSES="ldaps://127.0.0.1:$LDAPS_PORT $ADDRESSES"
fi
FOLDER="$(mktemp -d "${TMPDIR:-/tmp}/portcullis-slapd-XXXXXX")"
mkdir "$FOLDER/db"

# What waits beside says when the server is ready, ends it with standard input, and clears up after it however it ended.
listens() { (exec 3<>"/dev/tcp/127.0.0.1/$PORT") 2>/dev/null; }
exec 4<&0
{
    trap '' INT TERM HUP
    until listens; do
        kill -0 $$ 2>/dev/null || break
        sleep 0.02
    done
    if kill -0 $$ 2>/dev/null; then printf 'READY %s\n' "$ADDRESSES"; fi
    if [ -n "${UNTIL_EOF:-}" ]; then
        cat <&4 >/dev/null
        kill $$ 2>/dev/null || true
    fi
    while kill -0 $$ 2>/dev/null; do sleep 0.2; done
    rm -rf --one-file-system "$FOLDER"
} &
exec 4<&- </dev/null

{
    for schema in core cosine inetorgperson nis; do
        printf 'include /etc/ldap/schema/%s.schema\n' "$schema"
    done
    # Three that Active Directory has.
    printf '%s\n' \
        "attributetype ( 1.2.840.113556.1.4.2 NAME 'objectGUID' SYNTAX 1.3.6.1.4.1.1466.115.121.1.40 SINGLE-VALUE )" \
        "attributetype ( 1.2.840.113556.1.4.146 NAME 'objectSid' EQUALITY octetStringMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.40 SINGLE-VALUE )" \
        "attributetype ( 1.2.840.113556.1.4.98 NAME 'primaryGroupID' SYNTAX 1.3.6.1.4.1.1466.115.121.1.27 SINGLE-VALUE )" \
        'modulepath /usr/lib/ldap' 'moduleload back_mdb' 'moduleload memberof' 'moduleload ppolicy' \
        "pidfile $FOLDER/slapd.pid" 'allow bind_anon_dn'
    if [ -n "${CA:-}" ]; then
        printf '%s\n' "TLSCertificateFile $CA/${CERT:-localhost}.pem" "TLSCertificateKeyFile $CA/${CERT:-localhost}.key"
    fi
    if [ -n "${REQUIRE_TLS:-}" ]; then echo 'security tls=1'; fi
    cat <<CONF
database mdb
suffix $SUFFIX
directory $FOLDER/db
rootdn cn=manager,$SUFFIX
rootpw manager-secret
maxsize 67108864
dbnosync
index objectClass,uid,mail,member,memberUid eq
sizelimit ${LIMIT:-500}
overlay memberof
overlay ppolicy
ppolicy_default cn=default,ou=policies,$SUFFIX
ppolicy_use_lockout
access to attrs=userPassword by self write by anonymous auth by * none
access to * by dn.exact=cn=reader,$SUFFIX read by self read by * $EVERYBODY
CONF
} >"$FOLDER/slapd.conf"

sed "s/dc=example,dc=test/$SUFFIX/" "$HERE/slapd.ldif" >"$FOLDER/people.ldif"
for ((number = 1; number <= ${MANY:-0}; number++)); do
    printf '\ndn: cn=many-%s,ou=groups,%s\nobjectClass: groupOfNames\ncn: many-%s\nmember: uid=bob,ou=people,%s\n' \
        "$number" "$SUFFIX" "$number" "$SUFFIX"
done >>"$FOLDER/people.ldif"
# Offline, so that what only the server itself may write can stand there: ages, locks, ids.
slapadd -q -f "$FOLDER/slapd.conf" -l "$FOLDER/people.ldif" 2>"$FOLDER/made.log" || fail "$(cat "$FOLDER/made.log")"

# In place of this process: whoever started it has the server itself to end.
exec slapd -d stats -f "$FOLDER/slapd.conf" -h "$LISTEN"

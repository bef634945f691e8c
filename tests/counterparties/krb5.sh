#!/usr/bin/env bash
# An MIT Kerberos KDC for the realms TEST.LOCALHOST and OTHER.LOCALHOST, which trust each other; on $PORT or a free one, TCP and UDP.
#
# Says `READY folder` on standard output. In that folder:
#   krb5.conf       for clients and for the service
#   http.keytab     HTTP/localhost, HTTP/idp.test and host/localhost
#   other.keytab    HTTP/other.test
# People of TEST.LOCALHOST, with their passwords: alice/alice-krb, bob/bob-krb, root/admin with admin-krb, expired/exp-krb (account
# over), mustchange/needs-change (password over), barred/barred-krb (no tickets), bjørn/bjorn-krb, and odd)(*=&|,+#<>;' with odd-krb.
# Of OTHER.LOCALHOST: alice/alice-other.
# Every run has new keys: two KDCs are two KDCs, whatever their realms are called.
#
# The folder goes when the KDC ends; with $UNTIL_EOF that is when standard input ends, so that no test leaves it behind.
set -euo pipefail
export PATH="$PATH:/usr/sbin:/sbin"
REALM=TEST.LOCALHOST OTHER=OTHER.LOCALHOST

fail() { printf 'krb5: %s\n' "$*" >&2; exit 1; }
for program in krb5kdc kdb5_util kadmin.local kinit; do
    command -v "$program" >/dev/null || fail "$program is not there: run bash tests/setup"
done

free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }

PORT="${PORT:-$(free_port)}"
FOLDER="$(mktemp -d "${TMPDIR:-/tmp}/portcullis-krb5-XXXXXX")"

# What waits beside says when the KDC is ready, ends it with standard input, and clears up after it however it ended.
listens() { (exec 3<>"/dev/tcp/127.0.0.1/$PORT") 2>/dev/null; }
exec 4<&0
{
    trap '' INT TERM HUP
    until listens; do
        kill -0 $$ 2>/dev/null || break
        sleep 0.02
    done
    if kill -0 $$ 2>/dev/null; then printf 'READY %s\n' "$FOLDER"; fi
    if [ -n "${UNTIL_EOF:-}" ]; then
        cat <&4 >/dev/null
        kill $$ 2>/dev/null || true
    fi
    while kill -0 $$ 2>/dev/null; do sleep 0.2; done
    rm -rf --one-file-system "$FOLDER"
} &
exec 4<&- </dev/null

cat >"$FOLDER/krb5.conf" <<CONF
[libdefaults]
  default_realm = $REALM
  dns_lookup_kdc = false
  dns_lookup_realm = false
  dns_canonicalize_hostname = false
  rdns = false
  udp_preference_limit = 1
[realms]
  $REALM = {
    kdc = 127.0.0.1:$PORT
  }
  $OTHER = {
    kdc = 127.0.0.1:$PORT
  }
[domain_realm]
  localhost = $REALM
  .test = $REALM
CONF

{
    printf '[kdcdefaults]\n  kdc_listen = 127.0.0.1:%s\n  kdc_tcp_listen = 127.0.0.1:%s\n[realms]\n' "$PORT" "$PORT"
    for realm in "$REALM" "$OTHER"; do
        printf '  %s = {\n    database_name = %s\n    key_stash_file = %s\n' "$realm" "$FOLDER/$realm.db" "$FOLDER/$realm.stash"
        printf '    supported_enctypes = aes256-cts-hmac-sha1-96:normal\n'
        printf '    default_principal_flags = +preauth\n  }\n'
    done
    printf '[logging]\n  kdc = FILE:%s\n  default = FILE:%s\n' "$FOLDER/kdc.log" "$FOLDER/kdc.log"
} >"$FOLDER/kdc.conf"
export KRB5_CONFIG="$FOLDER/krb5.conf" KRB5_KDC_PROFILE="$FOLDER/kdc.conf"

# Commands for a realm's database, one a line.
in_realm() {
    kdb5_util create -s -r "$1" -P "master of $$" >/dev/null 2>"$FOLDER/made.log" || fail "$(cat "$FOLDER/made.log")"
    kadmin.local -r "$1" >/dev/null 2>"$FOLDER/made.log" || fail "$(cat "$FOLDER/made.log")"
}

in_realm "$REALM" <<COMMANDS
addprinc -pw alice-krb alice
addprinc -pw bob-krb bob
addprinc -pw admin-krb root/admin
addprinc -pw odd-krb "odd)(*=&|,+#<>;'"
addprinc -pw bjorn-krb bjørn
addprinc -pw exp-krb -expire yesterday expired
addprinc -pw needs-change +needchange mustchange
addprinc -pw barred-krb -allow_tix barred
addprinc -pw trust krbtgt/$REALM@$OTHER
addprinc -randkey HTTP/localhost
addprinc -randkey HTTP/idp.test
addprinc -randkey HTTP/other.test
addprinc -randkey host/localhost
ktadd -k $FOLDER/http.keytab HTTP/localhost HTTP/idp.test host/localhost
ktadd -k $FOLDER/other.keytab HTTP/other.test
COMMANDS

in_realm "$OTHER" <<COMMANDS
addprinc -pw alice-other alice
addprinc -pw trust krbtgt/$REALM@$OTHER
COMMANDS

# In place of this process: whoever started it has the KDC itself to end.
exec krb5kdc -n -r "$REALM" -r "$OTHER" >>"$FOLDER/kdc.log" 2>&1

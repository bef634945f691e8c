//! Log in by Kerberos: tickets (SPNEGO) and passwords.

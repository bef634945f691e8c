//! Log in by an LDAP directory or Active Directory.

//! The steps of the schema, in the order they are taken.

/// A step of the schema. Versions count from 1 without gaps; a step that was released is never edited.
#[derive(Clone, Copy, Debug)]
pub(super) struct Migration {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    pub(super) sql: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Adds; in one transaction.
    Expand,
    /// Adds what cannot be made in a transaction, an index beside the traffic: each statement by itself, all safe to run again.
    ExpandBesideTraffic,
    /// Takes away; in one transaction. Servers that know less than this version cannot use what is left.
    #[cfg_attr(not(test), expect(dead_code, reason = "no released step has needed it yet"))]
    Contract { oldest: u32 },
}

pub(super) const MIGRATIONS: &[Migration] = &[
    Migration {
        name: "initial",
        kind: Kind::Expand,
        sql: include_str!("../../migrations/0001_initial.sql"),
    },
    Migration {
        name: "outbox and audit columns",
        kind: Kind::Expand,
        sql: include_str!("../../migrations/0002_outbox_and_audit_columns.sql"),
    },
    Migration {
        name: "audit indexes",
        kind: Kind::ExpandBesideTraffic,
        sql: include_str!("../../migrations/0003_audit_indexes.sql"),
    },
    Migration {
        name: "access",
        kind: Kind::Expand,
        sql: include_str!("../../migrations/0004_access.sql"),
    },
    Migration {
        name: "lanes",
        kind: Kind::Expand,
        sql: include_str!("../../migrations/0005_lanes.sql"),
    },
];

//! The indexes. What must be unique is unique by these and nothing else.

use std::time::Duration;

use mongodb::IndexModel;
use mongodb::bson::{Document, doc};
use mongodb::error::Error;
use mongodb::options::IndexOptions;

use crate::connection::Base;
use crate::documents::{AUDIT, COUNTERS, FLOWS, OUTBOX, SESSIONS, TOMBSTONES, USERS};

/// One e-mail, one user of a pool. By this name a refused write says which key is taken.
pub(crate) const EMAIL: &str = "email_key";
/// One username, one user of a pool.
pub(crate) const USERNAME: &str = "username_key";
/// One account elsewhere, one user of a pool.
pub(crate) const IDENTITY: &str = "identity_keys";

/// Makes every index that is missing. Others may be doing the same.
pub(crate) async fn make(base: &Base) -> Result<(), Error> {
    for (collection, indexes) in all() {
        base.of(collection).create_indexes(indexes).await?;
    }
    Ok(())
}

fn all() -> [(&'static str, Vec<IndexModel>); 7] {
    [
        (
            USERS,
            vec![
                unique(EMAIL),
                unique(USERNAME),
                unique(IDENTITY),
                plain("roles", doc! { "pool": 1, "roles": 1, "_id": 1 }),
                plain("mappings", doc! { "mappings": 1 }),
            ],
        ),
        (
            SESSIONS,
            vec![plain("owner", doc! { "owner": 1 }), sparse("expires"), dropping()],
        ),
        (
            FLOWS,
            vec![
                plain("owner", doc! { "owner": 1, "kind": 1, "created": 1 }),
                sparse("expires"),
                dropping(),
            ],
        ),
        (COUNTERS, vec![sparse("forgotten"), dropping()]),
        (TOMBSTONES, vec![sparse("until"), dropping()]),
        (
            AUDIT,
            vec![
                plain("at", doc! { "at": 1 }),
                plain("user", doc! { "record.user": 1, "record.pool": 1, "_id": 1 }),
                plain("request", doc! { "record.request": 1, "_id": 1 }),
            ],
        ),
        (
            OUTBOX,
            vec![
                plain("due", doc! { "record.due": 1, "_id": 1 }),
                plain("channel", doc! { "record.channel": 1, "record.due": 1, "_id": 1 }),
                plain("expires", doc! { "expires": 1 }),
                dropping(),
            ],
        ),
    ]
}

/// Unique within a pool, among those who have it at all. Compared byte by byte: there is no collation.
fn unique(field: &str) -> IndexModel {
    let options = IndexOptions::builder()
        .name(field.to_owned())
        .unique(true)
        .partial_filter_expression(doc! { field: { "$exists": true } })
        .build();
    IndexModel::builder()
        .keys(doc! { "pool": 1, field: 1 })
        .options(options)
        .build()
}

fn plain(name: &str, keys: Document) -> IndexModel {
    let options = IndexOptions::builder().name(name.to_owned()).build();
    IndexModel::builder().keys(keys).options(options).build()
}

/// Of those that have the field: what never ends is not in it.
fn sparse(field: &str) -> IndexModel {
    let options = IndexOptions::builder()
        .name(field.to_owned())
        .sparse(true)
        .build();
    IndexModel::builder()
        .keys(doc! { field: 1 })
        .options(options)
        .build()
}

/// Lets the server drop a document once its `drop_at` is over.
fn dropping() -> IndexModel {
    let options = IndexOptions::builder()
        .name("drop_at".to_owned())
        .expire_after(Duration::ZERO)
        .build();
    IndexModel::builder()
        .keys(doc! { "drop_at": 1 })
        .options(options)
        .build()
}

//! Audit events of nodes from before there were columns to look for: whoever reads or purges the log sorts them in first, a few at a
//! time. So no start waits for a long log, and a node of that version may write beside newer ones. Such events hold a client's
//! address; it is dropped on the way.

use std::time::{Duration, Instant};

use domain::ports::PortError;
use domain::stored::StoredAuditEvent;
use sqlx::Row as _;
use sqlx::postgres::PgRow;

use crate::statement::Value;
use crate::store::PostgresStore;

/// Events sorted at once.
const AT_ONCE: i64 = 500;

const UNSORTED: &str = "SELECT seq, record FROM audit WHERE kind IS NULL ORDER BY seq LIMIT $1";
const SORT: &str = "\
    UPDATE audit SET kind = sorted.kind, pool = sorted.pool, user_id = sorted.user_id, record = sorted.record \
    FROM unnest($1::bigint[], $2::text[], $3::text[], $4::bytea[], $5::text[]) \
    AS sorted(seq, kind, pool, user_id, record) \
    WHERE audit.seq = sorted.seq AND audit.kind IS NULL";

/// The kind of what cannot be read: no query asks for it.
const UNREADABLE: &str = "";

#[derive(Default)]
struct Columns {
    seq: Vec<i64>,
    kind: Vec<String>,
    pool: Vec<Option<String>>,
    user: Vec<Option<Vec<u8>>>,
    record: Vec<String>,
}

impl Columns {
    fn add(&mut self, row: &PgRow) {
        let (Ok(seq), Ok(record)) = (row.try_get("seq"), row.try_get::<String, _>("record")) else {
            return;
        };
        self.seq.push(seq);
        let stored = serde_json::from_str::<StoredAuditEvent>(&record).ok();
        // Written anew without what the event does not hold any more.
        let anew = stored
            .as_ref()
            .and_then(|stored| serde_json::to_string(stored).ok());
        self.record.push(anew.unwrap_or(record));
        let stored = stored.as_ref();
        self.kind
            .push(stored.map_or(UNREADABLE, |stored| stored.kind.name()).to_owned());
        let pool = stored.and_then(|stored| stored.pool.as_ref());
        self.pool.push(pool.map(|pool| pool.as_str().to_owned()));
        let user = stored.and_then(|stored| stored.user.as_ref());
        self.user.push(user.map(|user| user.as_str().as_bytes().to_vec()));
    }

    fn values(self) -> Vec<Value> {
        vec![
            Value::Ints(self.seq),
            Value::Texts(self.kind),
            Value::MaybeTexts(self.pool),
            Value::MaybeManyBytes(self.user),
            Value::Texts(self.record),
        ]
    }
}

impl PostgresStore {
    /// Sorts in what is not yet, for so long at most, and says whether all is.
    pub(crate) async fn sort_events(&self, patience: Duration) -> Result<bool, PortError> {
        let began = Instant::now();
        loop {
            let unsorted = self.read(UNSORTED, vec![AT_ONCE.into()]).await?;
            if unsorted.is_empty() {
                return Ok(true);
            }
            let mut columns = Columns::default();
            for row in &unsorted {
                columns.add(row);
            }
            self.write(SORT, columns.values()).await?;
            if began.elapsed() >= patience {
                return Ok(false);
            }
        }
    }
}

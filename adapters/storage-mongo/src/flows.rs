//! Unfinished flows.

use async_trait::async_trait;
use domain::flow_record::{FlowKind, FlowRecord};
use domain::id::UserKey;
use domain::ports::{FlowStore, PortError};
use domain::secret::TokenHash;
use domain::time::Timestamp;
use mongodb::bson::{Document, doc};

use crate::connection::Base;
use crate::documents::{FLOWS, by_token, id_of_user, of_flow, to_flow};
use crate::error::{Answer, Fault, is_duplicate};
use crate::store::MongoStore;
use crate::users::is_there;

/// Tries to put a flow where another is being put under the same id: the one who comes second finds it there the next time.
const PUTS: usize = 3;

fn of(user: &UserKey, kind: FlowKind) -> Document {
    doc! { "owner": id_of_user(user), "kind": kind.name() }
}

/// Makes or replaces a flow.
async fn put(base: &Base, id: &Document, flow: &Document) -> Answer<()> {
    let mut tries = 1;
    loop {
        let put = base.of(FLOWS).replace_one(id.clone(), flow).upsert(true).await;
        match put {
            Err(error) if is_duplicate(&error) && tries < PUTS => tries += 1,
            Err(error) => return Err(error.into()),
            Ok(_) => return Ok(()),
        }
    }
}

#[async_trait]
impl FlowStore for MongoStore {
    /// Writes first and looks for the user then, as [`SessionStore::open`](domain::ports::SessionStore::open) does here.
    async fn put(&self, flow: &FlowRecord) -> Result<(), PortError> {
        let (document, id) = (of_flow(flow)?, by_token(&flow.id));
        self.run(|base| async move {
            put(&base, &id, &document).await?;
            let Ok(owner) = document.get_str("owner") else {
                return Ok(());
            };
            if is_there(&base, owner).await? {
                return Ok(());
            }
            let mut taken_back = id;
            taken_back.insert("owner", owner);
            base.of(FLOWS).delete_one(taken_back).await?;
            Err(Fault::Port(PortError::Stale))
        })
        .await
    }

    async fn replace(&self, flow: &FlowRecord) -> Result<bool, PortError> {
        let (document, id) = (of_flow(flow)?, by_token(&flow.id));
        self.run(|base| async move {
            let replaced = base.of(FLOWS).replace_one(id, document).await?;
            Ok(replaced.matched_count == 1)
        })
        .await
    }

    async fn find(&self, id: &TokenHash) -> Result<Option<FlowRecord>, PortError> {
        let id = by_token(id);
        let found = self
            .run(|base| async move { base.first(FLOWS, id).await })
            .await?;
        found.map(to_flow).transpose()
    }

    async fn take(&self, id: &TokenHash) -> Result<Option<FlowRecord>, PortError> {
        let id = by_token(id);
        let taken = self.run(|base| async move { base.take(FLOWS, id).await }).await?;
        taken.map(to_flow).transpose()
    }

    async fn list(&self, user: &UserKey, kind: FlowKind) -> Result<Vec<FlowRecord>, PortError> {
        let filter = of(user, kind);
        let by_age = doc! { "created": 1, "_id": 1 };
        let found = self
            .run(|base| async move { base.all(FLOWS, filter, by_age, usize::MAX).await })
            .await?;
        found.into_iter().map(to_flow).collect()
    }

    async fn end_all(&self, user: &UserKey, kind: FlowKind) -> Result<(), PortError> {
        let filter = of(user, kind);
        self.run(|base| async move {
            base.of(FLOWS).delete_many(filter).await?;
            Ok(())
        })
        .await
    }

    async fn purge(&self, now: Timestamp) -> Result<u64, PortError> {
        self.purge_below(FLOWS, "expires", now).await
    }
}

//! Linking a proven account to somebody who is logged in.

use super::super::perform::Halt;
use super::super::{ARRIVAL_RETRIES, Services};
use super::Outcome;
use crate::error::{Denial, DomainError};
use crate::flow::Advanced;
use crate::flow::link::Proven;
use crate::flow::link::attach::{self, Attach, AttachEvent};
use crate::origin::Origin;
use crate::policy::PoolPolicy;
use crate::ports::PortError;
use crate::user::User;

impl Services {
    /// Links to somebody who is logged in. Racing callbacks meet in the store: one of them makes the link.
    pub(in crate::service) async fn link(
        &self,
        pool: &PoolPolicy,
        linker: User,
        proven: Proven,
        origin: &Origin,
    ) -> Result<Outcome, DomainError> {
        let mut user = linker;
        for _ in 0..ARRIVAL_RETRIES {
            let holder = self.holder_of(pool, &proven).await?;
            let event = AttachEvent::Arrived {
                user: Box::new(user.clone()),
                proven: Box::new(proven.clone()),
                holder: holder.map(Box::new),
            };
            let step = self.decide(pool, origin, |cx| attach::step(Attach::Start, event, cx));
            let attaching = match step {
                Ok(Advanced {
                    next: Attach::Seal(attaching),
                    ..
                }) => attaching,
                Ok(_) => return Err(Denial::Unexpected.into()),
                Err(refused) => return Err(self.refuse(refused).await),
            };
            let sealed = self.seal_grant(&attaching.user, &attaching.draft).await?;
            let event = AttachEvent::Sealed(sealed);
            let step = self.decide(pool, origin, |cx| {
                attach::step(Attach::Seal(attaching), event, cx)
            });
            let Advanced { next, effects } = match step {
                Ok(advanced) => advanced,
                Err(refused) => return Err(self.refuse(refused).await),
            };
            match (self.perform(effects).await, next) {
                (Ok(()), Attach::Linked { user, identity }) => return Ok(Outcome::Linked { user, identity }),
                (Err(Halt::KeyTaken(_)), next) => {
                    let step = self.decide(pool, origin, |cx| attach::step(next, AttachEvent::KeyTaken, cx));
                    return match step {
                        Ok(_) => Err(Denial::Unexpected.into()),
                        Err(refused) => Err(self.refuse(refused).await),
                    };
                }
                (Err(Halt::Stale), _) => {
                    let reread = self.ports.users.find(&user.key).await?;
                    user = reread
                        .filter(|reread| reread.session_epoch == user.session_epoch)
                        .ok_or(Denial::AuthorizationRequired)?;
                }
                (Err(halt), _) => return Err(halt.or_denial(Denial::Unexpected)),
                (Ok(()), _) => return Err(Denial::Unexpected.into()),
            }
        }
        Err(PortError::Stale.into())
    }
}

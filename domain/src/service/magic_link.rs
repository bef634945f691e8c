//! Logging in by a mailed link.

use super::{LoggedIn, LoginName, STALE_RETRIES, Services};
use crate::error::{Denial, DomainError};
use crate::flow::login::{self, LinkPresented, Login, LoginEvent, Sending, Terms, magic_link};
use crate::flow_record::FlowBody;
use crate::limits::Verdict;
use crate::origin::Origin;
use crate::policy::{MailBudget, PoolPolicy};
use crate::ports::PortError;
use crate::secret::Token;

impl Services {
    /// Mails a link to log in with, if there is such a user. Nobody hears whether there is.
    ///
    /// # Errors
    /// [`Denial::AuthorizationRequired`] where the pool has no such links; [`Denial::RealmRequired`]; ports that do not answer.
    pub async fn request_link(
        &self,
        pool: &PoolPolicy,
        name: &LoginName,
        realm: Option<&str>,
        return_to: Option<String>,
        origin: &Origin,
    ) -> Result<(), DomainError> {
        let named = self.named(pool, realm, name).await?;
        let limits = &self.policy.limits;
        let user = named.user.as_ref();
        let sends = user.is_some_and(|user| self.decide(pool, origin, |cx| magic_link::would_send(user, cx)));
        let asked = match user {
            Some(user) if sends => limits.mail(
                MailBudget::MagicLink,
                &pool.name,
                user.key.id.as_str(),
                &origin.address,
            ),
            _ => limits.mail_to_nobody(&origin.address),
        };
        let verdict = self.take(&asked).await?;
        let effects = self.decide(pool, origin, |cx| magic_link::ask(user, verdict, return_to, cx));
        match effects {
            Ok(effects) => self
                .perform(effects)
                .await
                .map_err(|halt| halt.or_denial(Denial::Unexpected)),
            Err(refused) => Err(self.refuse(refused).await),
        }
    }

    /// Logs in with the token of a link, and says where the person wanted to go.
    ///
    /// # Errors
    /// [`Denial::TokenRefused`] whatever is wrong with it; [`Denial::Limited`], [`Denial::PhoneRequired`]; ports that do not answer.
    pub async fn login_with_link(
        &self,
        pool: &PoolPolicy,
        token: &Token,
        terms: Terms,
        origin: &Origin,
    ) -> Result<(LoggedIn, Option<String>), DomainError> {
        let verdict = self.take(&self.policy.limits.token_try(&origin.address)).await?;
        let flow = self.ports.flows.find(&token.hash()).await?;
        let flow = flow.filter(|flow| flow.pool == pool.name);
        let return_to = flow.as_ref().and_then(|flow| match &flow.body {
            FlowBody::MagicLink { return_to, .. } => return_to.clone(),
            _ => None,
        });
        let mut facts = LinkPresented {
            user: match &flow {
                Some(flow) => self.user_of(flow).await?,
                None => None,
            },
            flow,
            verdict,
            sending: Sending {
                verdict: Verdict::Allowed,
                pending: Vec::new(),
                reaches_without_number: false,
            },
            terms,
        };
        if verdict == Verdict::Allowed {
            let waits = self.decide(pool, origin, |cx| facts.waits(cx));
            facts.sending = self.sending(facts.user.as_ref(), waits, origin).await?;
        }
        for _ in 0..STALE_RETRIES {
            let event = LoginEvent::LinkPresented(Box::new(facts.clone()));
            let step = self.decide(pool, origin, |cx| login::step(Login::Start, event, cx));
            match self.settle(step).await {
                Ok(Some(logged_in)) => return Ok((logged_in, return_to)),
                Ok(None) => facts.user = self.reload(facts.user.as_ref()).await?,
                // Spent by somebody else meanwhile: a token like any other that is.
                Err(DomainError::Denied(Denial::LoginFailed)) => return Err(Denial::TokenRefused.into()),
                Err(error) => return Err(error),
            }
        }
        Err(PortError::Stale.into())
    }
}

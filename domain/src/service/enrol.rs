//! Past the second factor for who has none yet, where one is required.

use super::Services;
use super::factors::{TotpEnrolment, totp_binding};
use super::perform::Halt;
use crate::error::{Denial, DomainError};
use crate::flow::Advanced;
use crate::flow::login::pending::{Reach, Ways};
use crate::flow::login::{self, AppAsked, Login, LoginEvent};
use crate::flow_record::FlowBody;
use crate::limits::Verdict;
use crate::origin::Origin;
use crate::policy::PoolPolicy;
use crate::secret::Token;

impl Services {
    /// The ways past the second factor that a pending login waits for; none for a challenge that is void.
    ///
    /// # Errors
    /// Ports that do not answer.
    pub async fn pending_ways(
        &self,
        pool: &PoolPolicy,
        challenge: &Token,
    ) -> Result<Option<Ways>, DomainError> {
        let (pending, user) = self.challenged(pool, challenge).await?;
        let now = self.ports.clock.now();
        let reach = Reach::of(self.ports.sms.reaches_without_number());
        let live = pending.filter(|flow| !flow.is_expired(now)).zip(user);
        Ok(live.and_then(|(flow, user)| match flow.body {
            FlowBody::PendingLogin(login) => Some(Ways::of_login(&login, &user, pool, reach)),
            _ => None,
        }))
    }

    /// Begins to add an authenticator app to a pending login, for who needs a second factor and has none: its first code adds it and
    /// completes the login ([`Services::login_with_code`] with the same challenge). One that was begun before is void.
    ///
    /// # Errors
    /// [`Denial::LoginFailed`] when the challenge is void; [`Denial::FactorNotOffered`] where the pool does not require a second factor
    /// or takes no apps, and for who has a second factor; [`Denial::Invalid`] for a name that is none; [`Denial::Limited`]; ports that
    /// do not answer.
    pub async fn enrol_totp_at_login(
        &self,
        pool: &PoolPolicy,
        challenge: &Token,
        name: Option<String>,
        origin: &Origin,
    ) -> Result<TotpEnrolment, DomainError> {
        let (pending, user) = self.challenged(pool, challenge).await?;
        let verdict = match &user {
            Some(user) => self.take(&self.policy.limits.enrol_try(&user.key)).await?,
            None => Verdict::Allowed,
        };
        let facts = AppAsked {
            pending,
            user,
            name,
            verdict,
        };
        let event = LoginEvent::AppAsked(Box::new(facts));
        let draft = match self.decide(pool, origin, |cx| login::step(Login::Start, event, cx)) {
            Ok(Advanced {
                next: Login::SealApp(draft),
                ..
            }) => draft,
            Ok(_) => return Err(Denial::Unexpected.into()),
            Err(refused) => return Err(self.refuse(refused).await),
        };
        let app = &draft.app;
        let binding = totp_binding(&app.user.key, &app.id);
        let sealed = self.ports.sealer.seal(app.secret.expose(), &binding).await?;
        let enrolment = TotpEnrolment {
            enrolment: challenge.clone(),
            secret: app.secret.clone(),
            uri: app.uri.clone(),
        };
        let event = LoginEvent::AppSealed(sealed);
        let kept = self.decide(pool, origin, |cx| login::step(Login::SealApp(draft), event, cx));
        let effects = match kept {
            Ok(Advanced { effects, .. }) => effects,
            Err(refused) => return Err(self.refuse(refused).await),
        };
        match self.perform(effects).await {
            Ok(()) => Ok(enrolment),
            Err(Halt::Stale) => Err(Denial::LoginFailed.into()),
            Err(halt) => Err(halt.or_denial(Denial::LoginFailed)),
        }
    }
}

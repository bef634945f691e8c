//! Caddy with `forward_auth`.

use super::{Guarded, Proxy, the_right_ones_come_through_and_nobody_else};

#[tokio::test]
async fn caddy_lets_the_right_ones_through_and_nobody_else() {
    let guarded = Guarded::behind(Proxy::caddy).await;
    the_right_ones_come_through_and_nobody_else(&guarded).await;
}
